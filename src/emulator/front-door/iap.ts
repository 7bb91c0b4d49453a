import { createHash } from "node:crypto";
import { isAnnotationTrue } from "../run/knative.ts";
import { isAllowed } from "../iam/policy.ts";
import { verifyIdToken } from "../oauth2/id-tokens.ts";
import { parseJwt } from "../oauth2/jwt.ts";
import type { Project } from "../state/resources.ts";
import { resourceName } from "../run/names.ts";
import type { ServiceRoute } from "../run/resolve-host.ts";
import type { Runtime } from "../runtime.ts";
import { headerValues, withoutHeaders, type RawHeaders } from "../server/raw-headers.ts";
import { findPrincipal } from "./authenticate.ts";
import { iapForbidden, iapInvalid, iapSignIn, type Page } from "./error-pages.ts";

interface IapCall {
  /** In lower case, without the port. */
  readonly host: string;
  readonly path: string;
  readonly rawHeaders: RawHeaders;
}

/** True if Identity-Aware Proxy protects a service (`--iap`): https://cloud.google.com/run/docs/securing/identity-aware-proxy-cloud-run */
export function hasIap({ service }: Pick<ServiceRoute, "service">): boolean {
  return isAnnotationTrue(service, "run.googleapis.com/iap-enabled");
}

// Unlike Cloud Run: IAP accepts tokens for one OAuth client of the project, and its own service account needs no role to invoke services.
// Unlike Cloud Run: no one can sign in at IAP, and it tells the service the caller's email address and id, without X-Goog-IAP-JWT-Assertion.
/** Decides as IAP does, instead of the service's own invoker check: https://cloud.google.com/iap/docs/authentication-howto */
export async function checkIap(
  runtime: Pick<Runtime, "state" | "signingKeys" | "now">,
  { service, place }: ServiceRoute,
  { host, path, rawHeaders }: IapCall,
): Promise<{ readonly refusal: Page } | { readonly rawHeaders: RawHeaders }> {
  const client = iapClient(place.project);
  const [credential] = [...headerValues(rawHeaders, "proxy-authorization"), ...headerValues(rawHeaders, "authorization")];
  if (credential === undefined) return { refusal: iapSignIn(`https://${host}${path}`, client) };

  const token = /^bearer +(\S+)$/i.exec(credential)?.[1] ?? "";
  const reason = await findFault(runtime, token, client);
  if (reason !== undefined) return { refusal: iapInvalid(reason) };
  const { claims = {} } = parseJwt(token) ?? {};
  const principal = findPrincipal(claims, runtime);
  if (!principal || !isAllowed(runtime.state, principal, ACCESS, resourceName(place, service.metadata.name)))
    return { refusal: iapForbidden() };
  const added = { Email: principal.email, Id: String(claims["sub"]) };
  const headers = Object.entries(added).flatMap(([name, value]) => [`X-Goog-Authenticated-User-${name}`, `accounts.google.com:${value}`]);
  return { rawHeaders: [...withoutHeaders(rawHeaders, /^(proxy-authorization|x-goog-authenticated-user-.*)$/i), ...headers] };
}

const ACCESS = "iap.webServiceVersions.accessViaIAP";

// Unlike Cloud Run: of IAP's error messages only the one about the email claim is known; the others follow its wording.
async function findFault(runtime: Pick<Runtime, "signingKeys" | "now">, token: string, client: string): Promise<string | undefined> {
  if (token === "") return "empty token";
  if (!parseJwt(token)) return "Unable to parse JWT";
  const jwt = await verifyIdToken(runtime, token);
  if (!jwt) return "JWT signature is invalid";
  const { aud, email } = jwt.claims;
  if (aud !== client)
    return `JWT audience doesn't match this application ('aud' claim (${String(aud)}) doesn't match expected value (${client}))`;
  return typeof email === "string" ? undefined : "JWT 'email' claim isn't a string";
}

/** The OAuth client that IAP uses for a project, which is the audience of callers without a browser. */
export function iapClient({ projectNumber }: Pick<Project, "projectNumber">): string {
  const hash = createHash("sha256").update(`iap ${projectNumber}`).digest("hex").slice(0, 32);
  return `${projectNumber}-${hash}.apps.googleusercontent.com`;
}
