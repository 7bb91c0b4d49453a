import type { TokenRuntime } from "../runtime.ts";
import { ACCESS_TOKEN_SECONDS, issueAccessToken } from "./access-tokens.ts";
import { verifyAssertion } from "./assertion.ts";
import { issueIdToken } from "./id-tokens.ts";

/**
 * `urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523): exchanges an assertion signed with an account's key for an ID token or an
 * access token.
 */
export async function grantForAssertion(form: URLSearchParams, runtime: TokenRuntime): Promise<object> {
  const { account, request } = await verifyAssertion(form.get("assertion") ?? "", runtime);
  if ("audience" in request) {
    return { id_token: await issueIdToken(runtime, account, { audience: request.audience, includeEmail: true, azp: account.email }) };
  }
  const expires = Math.floor(runtime.now() / 1000) + ACCESS_TOKEN_SECONDS;
  const token = issueAccessToken(runtime.state, { email: account.email, scopes: request.scopes, expires });
  return { access_token: token, expires_in: ACCESS_TOKEN_SECONDS, token_type: "Bearer" };
}
