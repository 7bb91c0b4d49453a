import { isGcloudClientId, isServiceHost } from "../audience.ts";
import { principalForEmail } from "../principal.ts";
import type { IdTokenClaims } from "../jwt.ts";
import type { ParsedToken } from "./token-kind.ts";

/** Sentences that describe a token and its use. `claims` are those of a JWT, or Google's information about an access token. */
export function* describeToken({ kind, isForwarded }: ParsedToken, claims: IdTokenClaims = {}): Generator<string> {
  const { iss = "nobody", aud, email, scope } = claims;
  const audience = aud ?? "nobody in particular";
  switch (kind) {
    case "id_token":
      yield `It is ${isForwarded ? "what Cloud Run has passed on to a service of " : ""}an ID token of ${describeCaller(claims)}.`;
      yield* describeIdToken(claims);
      return;
    case "iap_assertion":
      yield `It is the assertion that Identity-Aware Proxy gives to what it protects, for ${email ?? "a caller"}: the header X-Goog-IAP-JWT-Assertion.`;
      yield `What is protected as ${audience} verifies it, to learn who called; it opens nothing.`;
      return;
    case "firebase_token":
      yield `It is an ID token of Identity Platform (Firebase), of ${email ?? "a user"} of the project ${audience}.`;
      yield "A service verifies it itself; Cloud Run's front end does not take it.";
      return;
    case "self_signed_token":
      yield `It is an access token that a key of ${iss} has signed itself (https://google.aip.dev/auth/4111).`;
      yield typeof scope === "string" ? `Google's APIs take it, for ${scope}.` : `Google's API at ${audience} takes it.`;
      yield "Cloud Run takes it for no call to a service: cloudrun-oauth token makes an ID token.";
      return;
    case "assertion":
      yield `It is an assertion of ${iss}, which ${audience} exchanges for a token: whoever has it gets that token.`;
      yield "Cloud Run takes it for no call to a service: cloudrun-oauth token exchanges it.";
      return;
    case "access_token":
      yield `It is an access token${email === undefined ? "" : ` of ${principalForEmail(email)}`}.`;
      if (typeof scope === "string") yield `Google's APIs take it, for ${scope}.`;
      yield "Cloud Run takes it for no call to a service: cloudrun-oauth token makes an ID token.";
      return;
    case "refresh_token":
      yield "It is a refresh token: whoever has it gets tokens for the person, until the login is revoked. Keep it as a password.";
      return;
    case "foreign_token":
      yield `It is a token of ${iss}, for ${audience}.`;
      yield "Workload identity federation may exchange it for one of Google's, where a pool trusts who signed it.";
      return;
    default:
      yield "It has not the form of a token.";
  }
}

function* describeIdToken({ aud, email, sub, email_verified: isVerified, google }: IdTokenClaims): Generator<string> {
  const { compute_engine: instance } = (google ?? {}) as { compute_engine?: { instance_name?: string; project_id?: string } };
  if (instance) yield `A metadata server made it, for the instance ${instance.instance_name} of the project ${instance.project_id}.`;
  if (email === undefined)
    yield `It has no e-mail claim, only the unique id ${sub}: by impersonation that is asked for with includeEmail, of a metadata server with format=full.`;
  if (email !== undefined && isVerified === false) yield "Its e-mail address is not verified.";
  yield describeAudience(aud);
}

function describeAudience(aud: string | undefined): string {
  if (aud === undefined) return "It names no audience: nobody takes it.";
  if (isGcloudClientId(aud))
    return "Its audience is gcloud itself: every Cloud Run service takes it where its principal has roles/run.invoker.";
  if (aud.endsWith(".apps.googleusercontent.com"))
    return `It is for the OAuth client ${aud}: for what Identity-Aware Proxy protects with it, or an app that signs people in.`;
  const host = URL.canParse(aud) ? new URL(aud).hostname : "";
  return isServiceHost(host)
    ? `It calls the Cloud Run service at ${aud}, where its principal has roles/run.invoker.`
    : `It calls a Cloud Run service that has ${aud} among its custom audiences, or whatever else takes that audience.`;
}

function describeCaller({ email, sub }: IdTokenClaims): string {
  if (email === undefined) return `the account ${sub ?? "that it does not name"}`;
  return `${email.endsWith(".gserviceaccount.com") ? "the service account" : "the user"} ${email}`;
}
