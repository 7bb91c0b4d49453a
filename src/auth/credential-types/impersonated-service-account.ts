import type { Impersonated } from "google-auth-library";
import { CliError } from "../../errors/cli-error.ts";
import { externalStep } from "../../errors/next-step.ts";
import type { Credentials } from "../credentials.ts";
import type { AuthContext } from "../auth-context.ts";
import { openFieldReader, type FieldReader } from "../field-reader.ts";
import type { JsonObject } from "../json-object.ts";
import { callGoogleAuthLibrary, transportOptions, type TokenRefusal, fetchLibraryAccessToken } from "../google-auth-transport.ts";
import { memberForEmail } from "../member.ts";
import { readClaims } from "../jwt.ts";
import { explainImpersonationRefusal } from "../impersonation-refusal.ts";
import { assertGoogleHost } from "../google-hosts.ts";

/** The account to impersonate, through delegates: each can impersonate the next, and the last one the account. */
export interface ImpersonationChain {
  readonly account: string;
  readonly delegates: readonly string[];
}

const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";
const IAM_CREDENTIALS_URL = "https://iamcredentials.googleapis.com";

/** Parses `A,B,C` as gcloud does: the last one is the account to impersonate, the others are its delegates in this order. */
export function parseImpersonationChain(list: string): ImpersonationChain {
  const accounts = list.split(",").map((account) => account.trim());
  return { account: accounts.at(-1) ?? "", delegates: accounts.slice(0, -1) };
}

/**
 * A service account that other credentials impersonate through the IAM Credentials API. Its ID tokens include the account's email address.
 * https://cloud.google.com/iam/docs/create-short-lived-credentials-delegated
 */
export function impersonate(
  source: Credentials,
  { account, delegates }: ImpersonationChain,
  { send }: AuthContext,
  endpoint = IAM_CREDENTIALS_URL,
): Credentials {
  const target = { name: `projects/-/serviceAccounts/${account}` };
  let library: Promise<Impersonated> | undefined;
  const client = () =>
    (library ??= (async () => {
      const { Impersonated, OAuth2Client } = await import("../google-auth-library.ts");
      const transporterOptions = transportOptions(send);
      const sourceClient = new OAuth2Client({ transporterOptions });
      sourceClient.refreshHandler = async () => {
        const { token, expires } = await source.fetchAccessToken();
        return { access_token: token, expiry_date: expires * 1000 };
      };
      return new Impersonated({
        sourceClient,
        targetPrincipal: account,
        targetScopes: [CLOUD_PLATFORM],
        delegates: delegates.map((delegate) => `projects/-/serviceAccounts/${delegate}`),
        lifetime: 3600,
        endpoint,
        transporterOptions,
      });
    })());
  const refuse = (refusal: TokenRefusal) => explainImpersonationRefusal(refusal, { account, delegates, principal: source.principal });
  const by = [source.description, ...delegates.map((delegate) => `through ${delegate}`)].join(", ");

  return {
    principal: account.includes("@") ? memberForEmail(account) : undefined,
    description: `serviceAccount:${account}, impersonated by ${by}`,
    identity: ["impersonated", endpoint, account, ...delegates, ...source.identity],
    ...(source.file !== undefined && { file: source.file }),
    tokenRequest: { method: "POST", url: `${endpoint}/v1/${target.name}:generateIdToken` },
    async fetchIdToken(audience) {
      const token: unknown = await callGoogleAuthLibrary(
        endpoint,
        async () => (await client()).fetchIdToken(audience, { includeEmail: true }),
        refuse,
      );
      if (typeof token === "string" && readClaims(token)) return token;
      throw new CliError("TOKEN_REFUSED", `${new URL(endpoint).host} returned no ID token.`);
    },
    fetchAccessToken: () => fetchLibraryAccessToken(endpoint, client, refuse),
  };
}

const IMPERSONATED_SIGN_IN_STEP = externalStep(
  "To create the file",
  "gcloud",
  ..."auth application-default login --impersonate-service-account ACCOUNT".split(" "),
);

/** `impersonated_service_account`, as `gcloud auth application-default login --impersonate-service-account` writes it. */
export function readImpersonatedServiceAccount(
  value: JsonObject,
  subject: string,
): { chain: ImpersonationChain; endpoint: string; source: JsonObject; fields: FieldReader } {
  const fields = openFieldReader(value, subject, IMPERSONATED_SIGN_IN_STEP);
  const { account, endpoint } = readImpersonationUrl(fields);
  const delegates = fields.optionalTexts("delegates").map((delegate) => delegate.replace(/^projects\/-\/serviceAccounts\//, ""));
  if (!delegates.every((delegate) => /^(?:[\w.+-]+@[\w.-]+|\d+)$/.test(delegate)))
    throw fields.invalid('has invalid "delegates": expected service accounts');
  return { chain: { account, delegates }, endpoint, source: fields.object("source_credentials"), fields };
}

/** The account and the API that a `service_account_impersonation_url` names. */
export function readImpersonationUrl(fields: FieldReader): { account: string; endpoint: string } {
  const url = fields.url("service_account_impersonation_url");
  const [, account] =
    /\/serviceAccounts\/([\w.+-]+@[\w.-]+|\d+):generate(?:Access|Id)Token$/.exec(url.pathname.replaceAll("%40", "@")) ?? [];
  if (account === undefined) throw fields.invalid("has a service_account_impersonation_url without a service account");
  return { account, endpoint: url.origin };
}

/** Throws CliError CREDENTIALS_INVALID if the access token would be sent to an unknown host. */
export function assertImpersonationHost(endpoint: string, subject: string, env: AuthContext["env"]): void {
  assertGoogleHost(new URL(endpoint), {
    field: "service_account_impersonation_url",
    subject,
    env,
    hosts: /^iamcredentials(?:\.[a-z0-9-]+)*\.googleapis\.com$/,
  });
}
