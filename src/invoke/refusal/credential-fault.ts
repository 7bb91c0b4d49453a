import { audienceFor, isGcloudClientId, isServiceHost } from "../../auth/audience.ts";
import { GOOGLE_ISSUERS } from "../../auth/jwt.ts";
import { formatDuration, SET_CLOCK_STEP } from "../../auth/token-refusal.ts";
import type { CliError } from "../../errors/cli-error.ts";
import { externalStep, nextStep } from "../../errors/next-step.ts";
import type { Evidence } from "./evidence.ts";
import { describeService, gcloudArguments, invokeStep, refusalError, tokenStep, type RejectedRequest } from "./refusal-error.ts";
import { readSentCredential } from "./sent-credential.ts";

const CLOCK_TOLERANCE_SECONDS = 60;

/** The visible fault of the credential that was sent; undefined if there is none. */
export function findCredentialFault(request: RejectedRequest, evidence: Evidence = {}): CliError | undefined {
  const { count, header, scheme, token, claims, isForwarded } = readSentCredential(request.sent);
  const newToken = { next: [tokenStep(request)] };
  if (count === 0)
    return refusalError("NO_CREDENTIAL", request, `The request to ${request.url.origin} has no credential.`, {
      next: [invokeStep(request, "To send an authenticated request")],
    });
  if (count > 1)
    return refusalError("SEVERAL_CREDENTIALS", request, `The request has ${count} credentials in ${header}, but Cloud Run accepts one.`, {
      hint: "Send the ID token in X-Serverless-Authorization, and the service's own credential in Authorization.",
    });
  if (token === undefined)
    return refusalError(
      "NOT_BEARER",
      request,
      `${header} has ${describeScheme(scheme)} credential, but Cloud Run accepts only Bearer tokens.`,
      {
        hint: "Send an ID token in the header X-Serverless-Authorization: Bearer TOKEN.",
        ...newToken,
      },
    );
  if (token.startsWith("ya29."))
    return refusalError("ACCESS_TOKEN", request, "The request has an access token, but Cloud Run needs an ID token.", newToken);
  if (!claims)
    return refusalError("NOT_A_JWT", request, "The request's token isn't a JWT.", { hint: "It might have been cut off.", ...newToken });
  if (isForwarded)
    return refusalError(
      "SIGNATURE_REMOVED",
      request,
      "The ID token has no signature: Cloud Run removes it when it forwards a request to a service.",
      {
        hint: "Call other services with a token for your service's own account: https://cloud.google.com/run/docs/authenticating/service-to-service",
      },
    );
  if (claims.iss !== undefined && !GOOGLE_ISSUERS.includes(claims.iss))
    return refusalError(
      "ISSUER_NOT_GOOGLE",
      request,
      `The token was issued by ${claims.iss}, but Cloud Run accepts only ID tokens from Google.`,
      {
        next: [nextStep("To exchange a key for an ID token", "token", request.url.origin, "--credentials", "KEY_FILE")],
      },
    );
  return findTimeFault(request) ?? findAudienceFault(request, evidence);
}

/** The front end decides by its own clock, which its Date header tells. */
function findTimeFault(request: RejectedRequest): CliError | undefined {
  const { exp, iat } = readSentCredential(request.sent).claims ?? {};
  const localTime = request.now / 1000;
  const date = Date.parse(request.headers["date"] ?? "") / 1000;
  const googleTime = Number.isFinite(date) ? date : localTime;
  const skewSeconds = Math.round(localTime - googleTime);
  const clockOff = (message: string, hint?: string) =>
    refusalError("CLOCK_OFF", request, message, { hint, next: [SET_CLOCK_STEP], code: "NOT_AUTHENTICATED", skew_seconds: skewSeconds });
  if (typeof exp === "number" && exp <= googleTime) {
    const expired = `The ID token expired at ${new Date(exp * 1000).toISOString()}`;
    return exp > localTime && -skewSeconds > CLOCK_TOLERANCE_SECONDS
      ? clockOff(`${expired}, but this computer's clock is ${formatDuration(-skewSeconds)} behind.`)
      : refusalError("TOKEN_EXPIRED", request, `${expired}.`, { next: [tokenStep(request)] });
  }
  return typeof iat === "number" && iat > googleTime + CLOCK_TOLERANCE_SECONDS
    ? clockOff(
        `The ID token isn't valid until ${new Date(iat * 1000).toISOString()}.`,
        "The clock is wrong on this computer or on the one that created the token.",
      )
    : undefined;
}

function findAudienceFault(request: RejectedRequest, evidence: Evidence): CliError | undefined {
  const { aud } = readSentCredential(request.sent).claims ?? {};
  if (aud === undefined || request.status !== 401 || isGcloudClientId(aud)) return undefined;
  const { service } = evidence;
  const accepted = service && [...service.urls, ...service.custom_audiences];
  if (accepted?.some((audience) => aud === audience || (isServiceHost(hostOf(audience)) && aud === `${audience}/`))) return undefined;
  const addAudience = externalStep(
    "To accept this audience",
    "gcloud",
    "run",
    "services",
    "update",
    ...gcloudArguments(request, evidence),
    "--add-custom-audiences",
    aud,
  );
  // A custom domain isn't an audience by itself: https://cloud.google.com/run/docs/configuring/custom-audiences
  if (!isServiceHost(request.url.hostname)) {
    if (isServiceHost(hostOf(aud))) return undefined;
    const expected = service?.url;
    return refusalError(
      "AUDIENCE_IS_DOMAIN",
      request,
      `Wrong audience: ${aud} is a domain, not the URL that Cloud Run assigned to the service.`,
      {
        next: [invokeStep(request, "To use the service's audience", "--audience", expected ?? "RUN_APP_URL"), addAudience],
        ...(expected !== undefined && { expected_audience: expected }),
      },
    );
  }
  const expected = audienceFor(request.url);
  if (aud === expected || aud === `${expected}/`) return undefined;
  const isVariant = URL.canParse(aud) && audienceFor(new URL(aud)) === expected;
  const message = `Wrong audience: the ID token is for ${aud}, but ${describeService(request, evidence)} expects ${expected}.`;
  return refusalError("AUDIENCE_MISMATCH", request, message, {
    hint: isVariant ? "The audience is the service URL without a path or a traffic tag." : undefined,
    next: [invokeStep(request, "To use the service's audience", "--audience", expected), ...(isVariant ? [] : [addAudience])],
    expected_audience: expected,
    ...(accepted && { accepted_audiences: accepted }),
  });
}

function hostOf(text: string): string {
  return URL.canParse(text) ? new URL(text).hostname : "";
}

/** The scheme if it is a known one: anything else can be the secret. */
function describeScheme(scheme: string): string {
  return /^(?:basic|digest|negotiate|apikey|token)$/i.test(scheme)
    ? `${/^[aeiou]/i.test(scheme) ? "an" : "a"} ${scheme}`
    : "another kind of";
}
