import { audienceFor, isGcloudClientId, isServiceHost } from "../../auth/audience.ts";
import { GOOGLE_ISSUERS } from "../../auth/jwt.ts";
import type { CliError } from "../../errors/cli-error.ts";
import { formatDuration, SET_CLOCK_HINT } from "../../auth/token-refusal.ts";
import { readSentCredential } from "./sent-credential.ts";
import type { Evidence } from "./evidence.ts";
import { describeService, refusalError, gcloudServiceFlags, type RejectedRequest } from "./refusal-error.ts";

const CLOCK_TOLERANCE_SECONDS = 60;

/** The visible fault of the credential that was sent; undefined if there is none. */
export function findCredentialFault(request: RejectedRequest, evidence: Evidence = {}): CliError | undefined {
  const { count, header, scheme, token, claims, isForwarded } = readSentCredential(request.sent);
  if (count === 0)
    return refusalError("NO_CREDENTIAL", request, `Cloud Run let nobody in at ${request.url.origin} without a credential.`, {
      hint: "Call it with a key file: cloudrun-oauth invoke --credentials KEY_FILE",
    });
  if (count > 1)
    return refusalError("SEVERAL_CREDENTIALS", request, `The call brought ${count} credentials in ${header}, and Cloud Run takes one.`, {
      hint: "Send the ID token in X-Serverless-Authorization, and leave Authorization to the service's own: cloudrun-oauth invoke does.",
    });
  if (token === undefined)
    return refusalError(
      "NOT_BEARER",
      request,
      `${header} holds a credential of the scheme ${cleanScheme(scheme)}, and Cloud Run takes Bearer.`,
      {
        hint: 'Send the ID token: -H "X-Serverless-Authorization: Bearer $(cloudrun-oauth token)"',
      },
    );
  if (token.startsWith("ya29."))
    return refusalError("ACCESS_TOKEN", request, "The credential that was sent is an access token, and no ID token.", {
      hint: "Cloud Run takes an ID token for its own URL: cloudrun-oauth token",
    });
  if (!claims)
    return refusalError("NOT_A_JWT", request, "The credential that was sent is no ID token: it is no JWT.", {
      hint: "Copy the whole of it, or get a new one: cloudrun-oauth token",
    });
  if (isForwarded)
    return refusalError(
      "SIGNATURE_REMOVED",
      request,
      "The ID token is one that Cloud Run has passed on to a service, without its signature.",
      {
        hint: "A service calls others with a token of its own account: https://cloud.google.com/run/docs/authenticating/service-to-service",
      },
    );
  if (claims.iss !== undefined && !GOOGLE_ISSUERS.includes(claims.iss))
    return refusalError("ISSUER_NOT_GOOGLE", request, `The token was issued by ${claims.iss}, and Cloud Run takes ID tokens of Google's.`, {
      hint: "A key signs what the token endpoint exchanges for an ID token: cloudrun-oauth token --credentials KEY_FILE",
    });
  return findTimeFault(request) ?? findAudienceFault(request, evidence);
}

/** The front end decides by its own clock, which its Date header tells. */
function findTimeFault(request: RejectedRequest): CliError | undefined {
  const { exp, iat } = readSentCredential(request.sent).claims ?? {};
  const localTime = request.now / 1000;
  const date = Date.parse(request.headers["date"] ?? "") / 1000;
  const googleTime = Number.isFinite(date) ? date : localTime;
  const skewSeconds = Math.round(localTime - googleTime);
  if (typeof exp === "number" && exp <= googleTime) {
    const isClockBehind = exp > localTime && Math.abs(skewSeconds) > CLOCK_TOLERANCE_SECONDS;
    const ended = `The ID token expired at ${new Date(exp * 1000).toISOString()}`;
    if (!isClockBehind) return refusalError("TOKEN_EXPIRED", request, `${ended}.`, { hint: "A new one: cloudrun-oauth token" });
    return refusalError(
      "CLOCK_OFF",
      request,
      `${ended}, which this machine's clock has not reached: it is ${formatDuration(-skewSeconds)} behind.`,
      {
        hint: SET_CLOCK_HINT,
        code: "NOT_AUTHENTICATED",
        skew_seconds: skewSeconds,
      },
    );
  }
  if (typeof iat === "number" && iat > googleTime + CLOCK_TOLERANCE_SECONDS)
    return refusalError("CLOCK_OFF", request, `The ID token begins to hold at ${new Date(iat * 1000).toISOString()} only.`, {
      hint: `A clock is off, this machine's or that of what made the token. ${SET_CLOCK_HINT}`,
      code: "NOT_AUTHENTICATED",
      skew_seconds: skewSeconds,
    });
  return undefined;
}

function findAudienceFault(request: RejectedRequest, evidence: Evidence): CliError | undefined {
  const { aud } = readSentCredential(request.sent).claims ?? {};
  if (aud === undefined || request.status !== 401 || isGcloudClientId(aud)) return undefined;
  const { service } = evidence;
  const known = service && [...service.urls, ...service.custom_audiences];
  if (known?.some((audience) => aud === audience || (isServiceHost(hostOf(audience)) && aud === `${audience}/`))) return undefined;
  if (!isServiceHost(request.url.hostname)) return isServiceHost(hostOf(aud)) ? undefined : audienceIsDomain(request, evidence, aud);

  const expected = audienceFor(request.url);
  if (aud === expected || aud === `${expected}/`) return undefined;
  return refusalError(
    "AUDIENCE_MISMATCH",
    request,
    `The ID token is for ${aud}, and ${describeService(request, evidence)} does not take that.`,
    {
      hint: `Call it with --audience ${expected}${audienceRemark(aud, expected, gcloudServiceFlags(request, evidence))}`,
      expected_audience: expected,
      ...(known && { accepted_audiences: known }),
    },
  );
}

/** A custom domain or a load balancer's domain isn't an audience by itself: https://cloud.google.com/run/docs/configuring/custom-audiences */
function audienceIsDomain(request: RejectedRequest, evidence: Evidence, aud: string): CliError {
  const url = evidence.service?.url;
  return refusalError(
    "AUDIENCE_IS_DOMAIN",
    request,
    `The ID token is for ${aud}, which is not the URL that Cloud Run gave to the service.`,
    {
      hint: `Call it with --audience ${url ?? "and the service's run.app URL"}, or add a custom audience: gcloud run services update ${gcloudServiceFlags(request, evidence)} --add-custom-audiences ${aud}`,
      ...(url !== undefined && { expected_audience: url }),
    },
  );
}

function audienceRemark(aud: string, expected: string, where: string): string {
  if (URL.canParse(aud) && audienceFor(new URL(aud)) === expected)
    return new URL(aud).origin === expected
      ? ": the audience is the service's URL without a path."
      : ": the audience is the service's own URL, at a tag's URL too.";
  return `, or add a custom audience: gcloud run services update ${where} --add-custom-audiences ${aud}`;
}

function hostOf(text: string): string {
  return URL.canParse(text) ? new URL(text).hostname : "";
}

/** The scheme if it is a known one: anything else can be the secret. */
function cleanScheme(scheme: string): string {
  return /^(?:basic|digest|negotiate|apikey|token)$/i.test(scheme) ? scheme : "that is another one";
}
