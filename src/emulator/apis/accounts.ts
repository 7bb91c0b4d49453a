import type { Api } from "../server/router.ts";
import type { TokenRuntime } from "../runtime.ts";
import { jsonResponse } from "../server/http-response.ts";
import { ISSUER } from "../oauth2/id-tokens.ts";
import { createAuthorizationEndpoint } from "../oauth2/authorization-code.ts";
import { createTokenEndpoint } from "../oauth2/token-endpoint.ts";
import { createRevocation } from "../oauth2/token-info.ts";

/** https://developers.google.com/identity/openid-connect/openid-connect#discovery */
export function createAccountsApi(runtime: TokenRuntime): Api {
  return {
    hosts: ["accounts.google.com"],
    routes: {
      "GET /.well-known/openid-configuration": {
        handle: () => jsonResponse(OPENID_CONFIGURATION, 200, { "cache-control": "public, max-age=3600" }),
        public: true,
      },
      "GET /o/oauth2/v2/auth": { handle: createAuthorizationEndpoint(runtime), public: true },
      "POST /o/oauth2/token": { handle: createTokenEndpoint(runtime), public: true },
      "POST /o/oauth2/revoke": { handle: createRevocation(runtime), public: true },
    },
  };
}

const OPENID_CONFIGURATION = {
  issuer: ISSUER,
  authorization_endpoint: "https://accounts.google.com/o/oauth2/v2/auth",
  token_endpoint: "https://oauth2.googleapis.com/token",
  revocation_endpoint: "https://oauth2.googleapis.com/revoke",
  jwks_uri: "https://www.googleapis.com/oauth2/v3/certs",
  response_types_supported: ["code", "token", "id_token", "code token", "code id_token", "token id_token", "code token id_token", "none"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256"],
  scopes_supported: ["openid", "email", "profile"],
  token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
  claims_supported: ["aud", "email", "email_verified", "exp", "iat", "iss", "sub"],
  code_challenge_methods_supported: ["S256"],
  grant_types_supported: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
};
