import type { UserRefreshClient } from "google-auth-library";
import { CliError } from "../../errors/cli-error.ts";
import { isGcloudClientId } from "../audience.ts";
import type { NextStep } from "../../errors/next-step.ts";
import type { Reason } from "../../errors/reasons.ts";
import type { Credentials } from "../credentials.ts";
import type { AuthContext } from "../auth-context.ts";
import { openFieldReader } from "../field-reader.ts";
import type { JsonObject } from "../json-object.ts";
import {
  callGoogleAuthLibrary,
  transportOptions,
  type TokenRefusal,
  fetchLibraryAccessToken,
  describeTokenRefusal,
} from "../google-auth-transport.ts";
import { readClaims } from "../jwt.ts";
import { memberForEmail } from "../member.ts";
import { parseTokenUri } from "../google-hosts.ts";
import { OWN_CLIENT_SIGN_IN_STEP, SIGN_IN_STEP } from "../token-refusal.ts";

const GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token";

/**
 * A user's login, as gcloud writes it. The audience of its ID tokens is the login's OAuth client, whatever is requested; Cloud Run
 * accepts gcloud's client ID from developers: https://cloud.google.com/run/docs/authenticating/developers
 * Throws CliError CREDENTIALS_INVALID.
 */
export function readAuthorizedUser(value: JsonObject, origin: string, subject: string, context: AuthContext): Credentials {
  const fields = openFieldReader(value, subject, SIGN_IN_STEP);
  const client_id = fields.public("client_id", /^[\w.-]+\.apps\.googleusercontent\.com$/);
  const [client_secret, refresh_token] = [fields.text("client_secret"), fields.text("refresh_token")];
  const token_uri = fields.optionalUrl("token_uri") ?? GOOGLE_TOKEN_URI;
  // gcloud writes an empty account if it doesn't know it.
  const account = fields.optionalText("account") && fields.public("account", /^[^@\s]+@[^@\s]+$/);
  const principal = account ? memberForEmail(account) : undefined;
  const signInStep = isGcloudClientId(client_id) ? SIGN_IN_STEP : OWN_CLIENT_SIGN_IN_STEP;
  const whose = isGcloudClientId(client_id) ? "gcloud's client" : "the login's OAuth client";
  let library: Promise<UserRefreshClient> | undefined;

  const client = () =>
    (library ??= (async () => {
      const url = parseTokenUri({ token_uri }, context.env, subject);
      const { UserRefreshClient } = await import("../google-auth-library.ts");
      const endpoints = { oauth2TokenUrl: url.href };
      const transporterOptions = transportOptions(context.send);
      return new UserRefreshClient({
        clientId: client_id,
        clientSecret: client_secret,
        refreshToken: refresh_token,
        endpoints,
        transporterOptions,
      });
    })());
  const refuse = (refusal: TokenRefusal) => explainLoginRefusal(refusal, origin, signInStep);

  const fetchAccessToken = () => fetchLibraryAccessToken(token_uri, client, refuse);

  return {
    principal,
    description: `${principal ?? "a user login"}, from ${origin}; its ID tokens are always for ${whose} (${client_id})`,
    identity: ["authorized_user", token_uri, client_id, refresh_token],
    tokenRequest: { method: "POST", url: token_uri },
    audience: client_id,
    async fetchIdToken(audience) {
      const token: unknown = await callGoogleAuthLibrary(token_uri, async () => (await client()).fetchIdToken(audience), refuse);
      if (typeof token === "string" && readClaims(token)) return token;
      // An endpoint without access tokens, too, isn't a token endpoint; this throws.
      await fetchAccessToken();
      throw new CliError("TOKEN_REFUSED", `The login from ${origin} can't get ID tokens: it lacks the openid scope.`, {
        next: [signInStep],
      });
    },
    fetchAccessToken,
  };
}

function explainLoginRefusal(refusal: TokenRefusal, origin: string, signInStep: NextStep): CliError {
  const { host, status, error, description, reason: subtype } = refusal;
  const refusalText = describeTokenRefusal(refusal);
  const refused = (reason: Reason | undefined, sentence: string) =>
    new CliError("TOKEN_REFUSED", `${sentence}: ${refusalText}.`, {
      next: [signInStep],
      reason,
      details: { error, error_description: description, status_code: status },
    });
  if (/rapt|reauth/i.test(`${subtype} ${description}`))
    return refused("SIGN_IN_EXPIRED", `The login from ${origin} reached your organization's session limit`);
  if (error === "invalid_grant") return refused("SIGN_IN_EXPIRED", `The login from ${origin} was revoked or has expired`);
  return refused(error === "deleted_client" ? "CLIENT_DELETED" : undefined, `${host} rejected the login from ${origin}`);
}
