import type { UserRefreshClient } from "google-auth-library";
import { CliError } from "../../errors/cli-error.ts";
import { isAudienceOfGcloud } from "../audience.ts";
import type { Reason } from "../../errors/reasons.ts";
import type { Credentials } from "../credentials.ts";
import type { Exchange } from "../service-account-tokens.ts";
import { fieldsOf, type Fields } from "../field-reader.ts";
import { askLibrary, transportBy, type Refusal } from "../google-auth-transport.ts";
import { readClaims, memberOf } from "../jwt.ts";
import { tokenEndpoint } from "../google-hosts.ts";

const GOOGLES = "https://oauth2.googleapis.com/token";

/**
 * A person's login, as gcloud leaves it. Its ID tokens are for the client that he signed in with, whatever audience is asked for; Cloud Run
 * takes gcloud's from developers: https://cloud.google.com/run/docs/authenticating/developers
 * Throws CliError CREDENTIALS_INVALID.
 */
export function userCredentials(value: Fields, origin: string, subject: string, exchange: Exchange): Credentials {
  const fields = fieldsOf(value, subject, LOGIN);
  const client_id = fields.public("client_id", /^[\w.-]+\.apps\.googleusercontent\.com$/);
  const [client_secret, refresh_token] = [fields.text("client_secret"), fields.text("refresh_token")];
  const token_uri = fields.optionalUrl("token_uri") ?? GOOGLES;
  // gcloud writes an empty one where it does not know.
  const account = fields.optionalText("account") && fields.public("account", /^[^@\s]+@[^@\s]+$/);
  const principal = account ? memberOf(account) : undefined;
  const whose = isAudienceOfGcloud(client_id) ? "gcloud's client" : "the client that was signed in with";
  let library: Promise<UserRefreshClient> | undefined;

  const client = () =>
    (library ??= (async () => {
      const url = tokenEndpoint({ token_uri }, exchange.env, subject);
      const { UserRefreshClient } = await import("../google-auth-library.ts");
      const endpoints = { oauth2TokenUrl: url.href };
      const transporterOptions = transportBy(exchange.send);
      return new UserRefreshClient({
        clientId: client_id,
        clientSecret: client_secret,
        refreshToken: refresh_token,
        endpoints,
        transporterOptions,
      });
    })());
  const refuse = (refusal: Refusal) => explain(refusal, origin);

  const fetchAccessToken = () =>
    askLibrary(
      token_uri,
      async () => {
        const user = await client();
        const { token } = await user.getAccessToken();
        if (!token) throw new CliError("TOKEN_REFUSED", `${new URL(token_uri).host} answered without a token.`);
        return { token, expires: Math.floor((user.credentials.expiry_date ?? 0) / 1000) };
      },
      refuse,
    );

  return {
    principal,
    description: `${principal ?? "a person's login"}, from ${origin}; its ID tokens are for ${whose} (${client_id}), whatever the audience`,
    identity: ["authorized_user", token_uri, client_id, refresh_token],
    tokenRequest: { method: "POST", url: token_uri },
    audience: client_id,
    async fetchIdToken(audience) {
      const token: unknown = await askLibrary(token_uri, async () => (await client()).fetchIdToken(audience), refuse);
      if (typeof token === "string" && readClaims(token)) return token;
      // What answers no access token either is no token endpoint.
      await fetchAccessToken();
      throw new CliError(
        "TOKEN_REFUSED",
        `The login from ${origin} gets access tokens, but no ID token: it was made without the scope openid.`,
        {
          hint: `Sign in anew: ${LOGIN}`,
        },
      );
    },
    fetchAccessToken,
  };
}

const LOGIN = "gcloud auth application-default login";

function explain({ host, status, error, description, reason: subtype }: Refusal, origin: string): CliError {
  const said = description ? `${description.replace(/\.$/, "")} (${error})` : error || `status ${status}`;
  const refused = (reason: Reason | undefined, sentence: string) =>
    new CliError("TOKEN_REFUSED", `${sentence}: ${said}.`, {
      hint: LOGIN,
      reason,
      details: { error, error_description: description, status_code: status },
    });
  if (/rapt|reauth/i.test(`${subtype} ${description}`))
    return refused("SIGN_IN_EXPIRED", `The login from ${origin} has to be renewed, as the organisation's session length demands`);
  if (error === "invalid_grant") return refused("SIGN_IN_EXPIRED", `The login from ${origin} was revoked, or has expired`);
  return refused(error === "deleted_client" ? "CLIENT_DELETED" : undefined, `${host} refused the login from ${origin}`);
}
