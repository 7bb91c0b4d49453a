import { isGcloudClientId, isServiceHost } from "../audience.ts";
import type { IdTokenClaims } from "../jwt.ts";
import type { ParsedToken } from "./token-kind.ts";

const NOT_FOR_SERVICES = "Cloud Run services don't accept it; they need an ID token.";

/** Sentences that describe a token and its use. `claims` are those of a JWT, or Google's information about an access token. */
export function* describeToken({ kind, isForwarded }: ParsedToken, claims: IdTokenClaims = {}): Generator<string> {
  const { iss = "an unknown issuer", aud, email, scope } = claims;
  const audience = aud ?? "no audience";
  switch (kind) {
    case "id_token":
      yield `ID token issued to ${describeCaller(claims)}${isForwarded ? ", as Cloud Run forwards it to a service" : ""}.`;
      yield* describeIdToken(claims);
      return;
    case "iap_assertion":
      yield `Identity-Aware Proxy assertion for ${email ?? "a caller"} (header X-Goog-IAP-JWT-Assertion).`;
      yield `The application behind IAP (${audience}) verifies it to identify the caller; it can't be used to call anything.`;
      return;
    case "firebase_token":
      yield `Identity Platform (Firebase) ID token issued to ${email ?? "a user"} in project ${audience}.`;
      yield "The service must verify it itself; Cloud Run doesn't accept it.";
      return;
    case "self_signed_token":
      yield `Access token signed with one of ${iss}'s keys (https://google.aip.dev/auth/4111).`;
      yield typeof scope === "string" ? `Valid for Google APIs with scope ${scope}.` : `Valid for the Google API at ${audience}.`;
      yield NOT_FOR_SERVICES;
      return;
    case "assertion":
      yield `Assertion from ${iss}, which ${audience} exchanges for a token. Keep it secret: anyone who has it can get that token.`;
      yield NOT_FOR_SERVICES;
      return;
    case "access_token":
      yield email === undefined ? "Access token." : `Access token issued to ${email}.`;
      if (typeof scope === "string") yield `Valid for Google APIs with scope ${scope}.`;
      yield NOT_FOR_SERVICES;
      return;
    case "refresh_token":
      yield "Refresh token: anyone who has it can get tokens for the user until the login is revoked. Keep it as secret as a password.";
      return;
    case "foreign_token":
      yield `Token issued by ${iss} for ${audience}.`;
      yield "Workload identity federation can exchange it for a Google token if a pool trusts its issuer.";
      return;
    default:
      yield "Not a valid token.";
  }
}

function* describeIdToken({ aud, email, sub, email_verified: isVerified, google }: IdTokenClaims): Generator<string> {
  const { compute_engine: instance } = (google ?? {}) as { compute_engine?: { instance_name?: string; project_id?: string } };
  if (instance) yield `Issued by a metadata server for instance ${instance.instance_name} in project ${instance.project_id}.`;
  if (email === undefined)
    yield `It has no email claim, only the unique ID ${sub}. To include the email, use includeEmail (IAM Credentials API) or format=full (metadata server).`;
  else if (isVerified === false) yield "Its email address isn't verified.";
  yield describeAudience(aud);
}

function describeAudience(aud: string | undefined): string {
  if (aud === undefined) return "It has no audience, so no service accepts it.";
  if (isGcloudClientId(aud))
    return "Its audience is gcloud, which every Cloud Run service accepts if the account has the Cloud Run Invoker role.";
  if (aud.endsWith(".apps.googleusercontent.com"))
    return `It's for the OAuth client ${aud}: an application behind Identity-Aware Proxy, or an app with Google sign-in.`;
  return URL.canParse(aud) && isServiceHost(new URL(aud).hostname)
    ? `It's for the Cloud Run service at ${aud}. Whether the account can invoke the service isn't checked here.`
    : `It's for a Cloud Run service with the custom audience ${aud}, or for another application.`;
}

function describeCaller({ email, sub }: IdTokenClaims): string {
  if (email === undefined) return sub === undefined ? "an unknown account" : `the account ${sub}`;
  return `${email.endsWith(".gserviceaccount.com") ? "the service account" : "the user"} ${email}`;
}
