import { CliError } from "../errors.ts";
import { audienceFor, isAudienceOfGcloud, isServiceHost, serviceNamedBy } from "./audience.ts";
import { memberOf, readClaims, type IdTokenClaims } from "./id-token.ts";

/** A call that was answered 401, 403 or 404. */
export interface RefusedCall {
  readonly url: URL;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The ID token that was sent along. */
  readonly token: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The pages of Cloud Run's front end, of which a service knows nothing: number, and what stands above and in the sentence. */
const PAGES: Readonly<Record<number, RegExp>> = {
  401: /<h1>Error: Unauthorized<\/h1>\s*<h2>Your client does not have permission to (?:the requested|get) URL <code>/,
  403: /<h1>Error: Forbidden<\/h1>\s*<h2>Your client does not have permission to (?:the requested|get) URL <code>/,
  404: /<h1>Error: Page not found<\/h1>\s*<h2>The requested URL was not found on this server\.<\/h2>|<title>Error 404 \(Not Found\)!!1<\/title>/,
};

const UNVERIFIED = 'Bearer error="invalid_token" error_description="The access token could not be verified"';

const ROLE = "roles/run.invoker";
const YOUNG = "A grant that was just made takes about 2 minutes to hold, at times 7 or more.";

/**
 * Explains a refusal of Cloud Run's front end by its page and by the claims of the token that it was given, as a CliError: NOT_AUTHENTICATED,
 * NOT_AUTHORIZED or NOT_REACHABLE. Undefined where the answer is the service's own.
 * https://cloud.google.com/run/docs/troubleshooting#unauthorized-client
 */
export function explainRefusal(call: RefusedCall): CliError | undefined {
  if (!isFromFrontEnd(call)) return undefined;
  if (call.status === 404) return notReachable(call);
  if (call.token === undefined) {
    return refusal(
      "NOT_AUTHENTICATED",
      call,
      `Cloud Run let nobody in at ${call.url.origin} without a credential.`,
      "Call it with a key file: cloudrun-oauth invoke --credentials KEY_FILE",
    );
  }
  const claims = readClaims(call.token);
  if (!claims)
    return refusal(
      "NOT_AUTHENTICATED",
      call,
      "The credential that was sent is no ID token.",
      "Cloud Run takes an ID token, not an access token: cloudrun-oauth token",
    );
  return faultOfToken(call, claims) ?? (call.status === 403 ? notAuthorized(call, claims) : notVerified(call, claims));
}

/** An answer without a body, to HEAD, is told by its header; a service that answers so itself says something else in it. */
function isFromFrontEnd({ status, headers, body }: RefusedCall): boolean {
  if (body === "") return status === 401 && (headers["www-authenticate"] ?? "").startsWith(UNVERIFIED);
  return (headers["content-type"] ?? "").startsWith("text/html") && (PAGES[status]?.test(body) ?? false);
}

function faultOfToken(call: RefusedCall, { exp, aud, iat }: IdTokenClaims): CliError | undefined {
  const now = call.now / 1000;
  if (typeof exp === "number" && exp <= now) {
    return refusal(
      "NOT_AUTHENTICATED",
      call,
      `The ID token expired at ${new Date(exp * 1000).toISOString()}.`,
      "A new one: cloudrun-oauth token",
    );
  }
  const expected = audienceFor(call.url);
  if (call.status === 401 && aud !== undefined && aud !== expected && aud !== `${expected}/` && !isAudienceOfGcloud(aud)) {
    return refusal(
      "NOT_AUTHENTICATED",
      call,
      `The ID token is for ${aud}, and the service at ${call.url.origin} does not take that.`,
      `Call it with --audience ${expected}, or add a custom audience to the service.`,
    );
  }
  if (typeof iat === "number" && iat > now + 60) {
    return refusal(
      "NOT_AUTHENTICATED",
      call,
      `The ID token begins to hold at ${new Date(iat * 1000).toISOString()} only, by this machine's clock.`,
      "Set this machine's clock.",
    );
  }
  return undefined;
}

function notVerified(call: RefusedCall, { aud, email }: IdTokenClaims): CliError {
  const isForEveryService = aud !== undefined && isAudienceOfGcloud(aud);
  if (!isServiceHost(call.url.hostname) && !isForEveryService) {
    return refusal(
      "NOT_AUTHENTICATED",
      call,
      `The ID token is for ${call.url.origin}, which is not the URL that Cloud Run gave to the service.`,
      "Call it with --audience and the service's run.app URL, or add a custom audience: gcloud run services update SERVICE --add-custom-audiences URL",
    );
  }
  const who = email === undefined ? "the caller" : memberOf(email);
  return refusal(
    "NOT_AUTHENTICATED",
    call,
    `Cloud Run could not verify the ID token of ${who}, although it is for ${isForEveryService ? "every" : "this"} service and has not expired.`,
    `A service or a grant that is new takes a minute or more: try again. Otherwise: ${grantLine(call.url, email)}`,
  );
}

function notAuthorized(call: RefusedCall, { email }: IdTokenClaims): CliError {
  const member = email === undefined ? "The token's principal" : memberOf(email);
  const service = serviceNamedBy(call.url)?.service ?? `at ${call.url.origin}`;
  return refusal("NOT_AUTHORIZED", call, `${member} lacks ${ROLE} on the service ${service}.`, `${grantLine(call.url, email)} — ${YOUNG}`);
}

function notReachable(call: RefusedCall): CliError {
  const { pathname, origin } = call.url;
  // https://cloud.google.com/run/docs/known-issues#reserved_url_paths
  if (/^\/(?:eventlog$|_ah\/)|z$/.test(pathname)) {
    return refusal(
      "NOT_REACHABLE",
      call,
      `Google's front end keeps some paths to itself, ${pathname} seems to be one: the service never sees it.`,
      "Serve it under another path, one that does not end in z.",
    );
  }
  return refusal(
    "NOT_REACHABLE",
    call,
    `Google's front end shows no service at ${origin}.`,
    "There is no such service, or its ingress lets in internal traffic only, or its default URL is disabled: see cloudrun-oauth describe",
  );
}

/** The very command that lets the caller in. */
function grantLine(url: URL, email: string | undefined): string {
  const { service, region } = serviceNamedBy(url) ?? {};
  return ["cloudrun-oauth grant", service, region && `--region ${region}`, `--member ${email === undefined ? "MEMBER" : memberOf(email)}`]
    .filter(Boolean)
    .join(" ");
}

function refusal(
  code: "NOT_AUTHENTICATED" | "NOT_AUTHORIZED" | "NOT_REACHABLE",
  { url, status, token }: RefusedCall,
  message: string,
  hint: string,
): CliError {
  const { aud, email } = (token === undefined ? undefined : readClaims(token)) ?? {};
  return new CliError(code, message, {
    hint,
    details: { status_code: status, url: url.origin, audience: aud, principal: email === undefined ? undefined : memberOf(email) },
  });
}
