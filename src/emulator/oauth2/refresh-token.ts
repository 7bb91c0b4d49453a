import { OAuthError } from "../server/errors.ts";
import type { TokenRuntime } from "../runtime.ts";
import { ACCESS_TOKEN_SECONDS, issueAccessToken } from "./access-tokens.ts";
import { issueIdToken } from "./id-tokens.ts";
import { findLogin, isClientSecret } from "./logins.ts";
import type { Login, User } from "./users.ts";

/**
 * `refresh_token` (RFC 6749, section 6): exchanges a person's login for an access token, and for an ID token if the login has the scope
 * openid. The ID token's audience is always the client.
 */
export async function grantForRefreshToken(form: URLSearchParams, runtime: TokenRuntime): Promise<object> {
  const { state } = runtime;
  const [clientId, secret, token] = ["client_id", "client_secret", "refresh_token"].map((name) => form.get(name) ?? "") as [
    string,
    string,
    string,
  ];
  if (token === "") throw new OAuthError("invalid_request", "Missing required parameter: refresh_token");
  const login = findLogin(state, token);
  if (!login) throw new OAuthError("invalid_grant", "Token has been expired or revoked.");
  if (login.clientId !== clientId) throw new OAuthError("unauthorized_client", "Unauthorized", 401);
  if (!isClientSecret(login, secret)) throw new OAuthError("invalid_client", "The provided client secret is invalid.", 401);
  const user = state.users.get(login.email);
  if (!user) throw new OAuthError("invalid_grant", "Account has been deleted");
  return issueUserTokens(runtime, user, login);
}

/** An access token, and an ID token for the client if the scopes include openid. */
export async function issueUserTokens(
  runtime: TokenRuntime,
  user: User,
  { clientId, scopes }: Pick<Login, "clientId" | "scopes">,
): Promise<object> {
  const { state, now } = runtime;
  const expires = Math.floor(now() / 1000) + ACCESS_TOKEN_SECONDS;
  const access_token = issueAccessToken(state, { email: user.email, scopes, expires });
  const answer = { access_token, expires_in: ACCESS_TOKEN_SECONDS, scope: scopes.join(" "), token_type: "Bearer" };
  if (!scopes.includes("openid")) return answer;
  return { ...answer, id_token: await issueIdToken(runtime, user, { audience: clientId, includeEmail: true, azp: clientId }) };
}
