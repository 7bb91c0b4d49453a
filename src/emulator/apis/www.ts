import type { ApiRequest } from "../server/api-request.ts";
import { entityNotFound } from "../server/errors.ts";
import { jsonResponse, type HttpResponse } from "../server/http-response.ts";
import type { Api } from "../server/router.ts";
import type { TokenRuntime } from "../runtime.ts";
import { accountKeys, issuerKeys, type PublicKeys } from "../oauth2/public-keys.ts";
import { createTokenEndpoint } from "../oauth2/token-endpoint.ts";
import { createTokenInfo } from "../oauth2/token-info.ts";

/** The identity part of www.googleapis.com: public keys, and the token endpoint under its older names. */
export function createWwwApi(runtime: TokenRuntime): Api {
  const issuer = issuerKeys(runtime);
  const token = { handle: createTokenEndpoint(runtime), public: true } as const;
  const tokenInfo = { handle: createTokenInfo(runtime), public: true } as const;
  const certificates = {
    handle: async (request: ApiRequest) => publicKeysResponse(await publicKeysOf(request, runtime).certificates()),
    public: true,
  } as const;
  const jwks = {
    handle: async (request: ApiRequest) => publicKeysResponse(await publicKeysOf(request, runtime).jwks()),
    public: true,
  } as const;
  return {
    hosts: ["www.googleapis.com"],
    routes: {
      "GET /oauth2/v1/certs": { handle: async () => publicKeysResponse(await issuer.certificates()), public: true },
      "GET /oauth2/v3/certs": { handle: async () => publicKeysResponse(await issuer.jwks()), public: true },
      "GET /robot/v1/metadata/x509/{account}": certificates,
      "GET /robot/v1/metadata/jwk/{account}": jwks,
      "GET /service_accounts/v1/metadata/x509/{account}": certificates,
      "GET /service_accounts/v1/metadata/jwk/{account}": jwks,
      "GET /service_accounts/v1/jwk/{account}": jwks,
      "POST /oauth2/v4/token": token,
      "POST /oauth2/v3/token": token,
      "GET /oauth2/v3/tokeninfo": tokenInfo,
      "POST /oauth2/v3/tokeninfo": tokenInfo,
    },
  };
}

function publicKeysOf(request: ApiRequest, runtime: TokenRuntime): PublicKeys {
  const account = runtime.state.serviceAccounts.get(request.param("account").toLowerCase());
  if (!account) throw entityNotFound();
  return accountKeys(account, runtime);
}

// Unlike Cloud Run: public keys can be cached for a minute, not for hours, so that accounts which tests recreate are trusted.
function publicKeysResponse(keys: object): HttpResponse {
  return jsonResponse(keys, 200, { "cache-control": "public, max-age=60, must-revalidate, no-transform" });
}
