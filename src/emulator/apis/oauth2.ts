import type { Api } from "../server/router.ts";
import type { TokenRuntime } from "../runtime.ts";
import { createTokenEndpoint } from "../oauth2/token-endpoint.ts";
import { createRevocation, createTokenInfo } from "../oauth2/token-info.ts";

/** https://developers.google.com/identity/protocols/oauth2/service-account */
export function createOAuth2Api(runtime: TokenRuntime): Api {
  const tokenInfo = createTokenInfo(runtime);
  return {
    hosts: ["oauth2.googleapis.com"],
    routes: {
      "POST /token": { handle: createTokenEndpoint(runtime), public: true },
      "GET /tokeninfo": { handle: tokenInfo, public: true },
      "POST /tokeninfo": { handle: tokenInfo, public: true },
      "POST /revoke": { handle: createRevocation(runtime), public: true },
    },
  };
}
