import type { Identity } from "../iam/principal.ts";
import { findAccessToken } from "../oauth2/access-tokens.ts";
import { verifyIdToken } from "../oauth2/id-tokens.ts";
import { GCLOUD_CLIENTS } from "../oauth2/logins.ts";
import type { Runtime } from "../runtime.ts";
import { headerIndexes, type RawHeaders } from "../server/raw-headers.ts";

type Header = "authorization" | "x-serverless-authorization";

export type Credential =
  | { readonly kind: "none" }
  /** `reason` is a sentence for the log; the caller doesn't see it. */
  | { readonly kind: "invalid"; readonly reason: string }
  | {
      readonly kind: "principal";
      readonly member: string;
      readonly email: string;
      readonly claims: Readonly<Record<string, unknown>>;
      readonly header: Header;
      /** The request's headers as the service gets them: the checked token without its signature. */
      readonly redactedHeaders: RawHeaders;
    };

interface Options extends Pick<Runtime, "state" | "signingKeys" | "now"> {
  /** The service's URLs, without a trailing slash, and its custom audiences. */
  readonly audiences: readonly string[];
}

/** Checks the credential of a call to a service. https://cloud.google.com/run/docs/authenticating/service-to-service#acquire-token */
export async function authenticate(rawHeaders: RawHeaders, options: Options): Promise<Credential> {
  const serverless = headerIndexes(rawHeaders, "x-serverless-authorization");
  const header: Header = serverless.length > 0 ? "x-serverless-authorization" : "authorization";
  const indexes = serverless.length > 0 ? serverless : headerIndexes(rawHeaders, "authorization");
  const [index] = indexes;
  if (index === undefined) return { kind: "none" };
  if (indexes.length > 1) return invalid(`The request has several ${header} headers.`);

  const [, scheme = "", token = ""] = /^(bearer) +([^\s,]+)$/i.exec(rawHeaders[index] ?? "") ?? [];
  if (token === "") return invalid(`The ${header} header doesn't have the form "Bearer ID_TOKEN".`);
  const jwt = await verifyIdToken(options, token);
  if (!jwt) {
    const isAccessToken = findAccessToken(options.state, token) !== undefined;
    return invalid(
      isAccessToken
        ? "The token is an access token. Cloud Run requires an ID token."
        : "The token isn't a valid ID token of https://accounts.google.com, or it has expired.",
    );
  }
  const { aud } = jwt.claims;
  if (!isForGcloud(aud) && !options.audiences.some((audience) => isAudience(aud, audience))) {
    return invalid(`The token's audience is ${JSON.stringify(aud)}. The service accepts ${options.audiences.join(", ")}.`);
  }
  const principal = findPrincipal(jwt.claims, options);
  if (!principal) return invalid("The token's service account was deleted or disabled.");

  const redacted = `${scheme} ${token.slice(0, token.lastIndexOf("."))}.SIGNATURE_REMOVED_BY_GOOGLE`;
  const { member, email } = principal;
  return { kind: "principal", member, email, claims: jwt.claims, header, redactedHeaders: rawHeaders.with(index, redacted) };
}

/**
 * Every service accepts tokens for gcloud's clients, whatever its own audiences are: `gcloud auth print-identity-token` without --audiences
 * and `gcloud run services proxy` send one (google/adk-python#3814), programs with a person's login the other
 * (GoogleCloudPlatform/cloud-run-proxy#10).
 */
function isForGcloud(claim: unknown): boolean {
  return GCLOUD_CLIENTS.some((client) => client === claim);
}

/** A custom audience must match exactly; a service's URL can end in a slash. */
function isAudience(claim: unknown, audience: string): boolean {
  return claim === audience || (/^https:\/\/[^/]+\.run\.app$/.test(audience) && claim === `${audience}/`);
}

/** The principal of a token: `sub` decides, since a token of the IAM Credentials API can lack the email address. */
export function findPrincipal(
  { sub, email, email_verified: verified }: Readonly<Record<string, unknown>>,
  { state }: Pick<Options, "state">,
): Identity | undefined {
  const user = state.users.get(String(email));
  if (user) return user.uniqueId === sub && verified === true ? { member: `user:${user.email}`, email: user.email } : undefined;
  const account =
    email === undefined ? state.serviceAccounts.list().find(({ uniqueId }) => uniqueId === sub) : state.serviceAccounts.get(String(email));
  if (!account || account.uniqueId !== sub || account.disabled || (email !== undefined && verified !== true)) return undefined;
  return { member: `serviceAccount:${account.email}`, email: account.email };
}

function invalid(reason: string): Credential {
  return { kind: "invalid", reason };
}
