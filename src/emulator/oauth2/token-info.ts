import type { ApiRequest } from "../server/api-request.ts";
import { OAuthError } from "../server/errors.ts";
import type { Handler } from "../server/router.ts";
import type { Runtime, TokenRuntime } from "../runtime.ts";
import { findAccessToken, revokeAccessToken } from "./access-tokens.ts";
import { verifyIdToken } from "./id-tokens.ts";
import { findLogin, revokeLogin } from "./logins.ts";

/** Describes a token, with all values as strings: https://developers.google.com/identity/sign-in/web/backend-auth#calling-the-tokeninfo-endpoint */
export function createTokenInfo(runtime: TokenRuntime): Handler {
  return async (request) => {
    const fields = await readFields(request);
    const idToken = fields.get("id_token");
    const accessToken = fields.get("access_token");
    const info = idToken ? await describeIdToken(runtime, idToken) : accessToken ? describeAccessToken(runtime, accessToken) : undefined;
    if (!info) throw new OAuthError("invalid_token", "Invalid Value");
    return info;
  };
}

/** Revokes an access token or a login (RFC 7009). */
export function createRevocation({ state }: Pick<Runtime, "state">): Handler {
  return async (request) => {
    const token = (await readFields(request)).get("token") ?? "";
    if (findLogin(state, token)) {
      revokeLogin(state, token);
      return {};
    }
    if (!findAccessToken(state, token)) throw new OAuthError("invalid_token", "Token expired or revoked");
    revokeAccessToken(state, token);
    return {};
  };
}

async function describeIdToken(runtime: Pick<Runtime, "signingKeys" | "now">, token: string): Promise<object | undefined> {
  const jwt = await verifyIdToken(runtime, token);
  return jwt && Object.fromEntries(Object.entries({ ...jwt.claims, ...jwt.header }).map(([name, value]) => [name, String(value)]));
}

function describeAccessToken({ state, now }: Pick<Runtime, "state" | "now">, token: string): object | undefined {
  const grant = findAccessToken(state, token);
  const remainingSeconds = grant ? grant.expires - Math.floor(now() / 1000) : 0;
  const account = grant && (state.serviceAccounts.get(grant.email) ?? state.users.get(grant.email));
  if (!grant || !account || remainingSeconds <= 0) return undefined;
  const email = grant.scopes.some((scope) => /(^|[/.])(email|userinfo\.email)$/.test(scope))
    ? { email: grant.email, email_verified: "true" }
    : {};
  return {
    azp: account.uniqueId,
    aud: account.uniqueId,
    scope: grant.scopes.join(" "),
    exp: String(grant.expires),
    expires_in: String(remainingSeconds),
    ...email,
    access_type: "online",
  };
}

async function readFields({ method, query, body }: ApiRequest): Promise<URLSearchParams> {
  return new URLSearchParams([...query, ...(method === "POST" ? await body.form() : [])]);
}
