import type { ApiRequest } from "../server/api-request.ts";
import { OAuthError } from "../server/errors.ts";
import type { Handler } from "../server/router.ts";
import type { TokenRuntime } from "../runtime.ts";
import { grantForCode } from "./authorization-code.ts";
import { grantForAssertion } from "./jwt-bearer.ts";
import { grantForRefreshToken } from "./refresh-token.ts";

type Grant = (form: URLSearchParams, runtime: TokenRuntime) => Promise<object>;

/** By `grant_type`. */
const GRANTS: Readonly<Record<string, Grant>> = {
  authorization_code: grantForCode,
  "urn:ietf:params:oauth:grant-type:jwt-bearer": grantForAssertion,
  refresh_token: grantForRefreshToken,
};

/** The token endpoint (RFC 6749, section 3.2), for all of its names. */
export function createTokenEndpoint(runtime: TokenRuntime): Handler {
  return async ({ body }: ApiRequest) => {
    const form = await body.form();
    const type = form.get("grant_type") ?? "";
    const grant = Object.hasOwn(GRANTS, type) ? GRANTS[type] : undefined;
    if (!grant) throw new OAuthError("unsupported_grant_type", `Invalid grant_type: ${type}`);
    return grant(form, runtime);
  };
}
