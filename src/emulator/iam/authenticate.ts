import type { IncomingHttpHeaders } from "node:http";
import type { Principal } from "./principal.ts";
import { ApiError, errorInfo } from "../server/errors.ts";
import { findAccessToken } from "../oauth2/access-tokens.ts";
import { readSelfSignedToken } from "../oauth2/self-signed-token.ts";
import type { AccessToken } from "../state/resources.ts";
import type { State } from "../state/state.ts";

const REALM = 'Bearer realm="https://accounts.google.com/"';
const EXPECTED =
  "Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";

/** Scopes that an API accepts besides cloud-platform, by the first label of its host. */
const SCOPES: Readonly<Record<string, readonly string[]>> = {
  iam: ["https://www.googleapis.com/auth/iam"],
  iamcredentials: ["https://www.googleapis.com/auth/iam"],
  logging: ["https://www.googleapis.com/auth/logging.admin"],
  storage: ["https://www.googleapis.com/auth/devstorage.full_control", "https://www.googleapis.com/auth/devstorage.read_write"],
};

/**
 * The sender of a control-plane request, from the access token in its Authorization header. `now` is in milliseconds. Throws ApiError
 * UNAUTHENTICATED without a valid token, PERMISSION_DENIED if the token's scopes don't suffice.
 */
export function authenticate(headers: IncomingHttpHeaders, state: State, now: number): Principal {
  const service = (headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
  const token = /^bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
  if (token === undefined) {
    const message = `Request is missing required authentication credential. ${EXPECTED}`;
    throw new ApiError("UNAUTHENTICATED", message, [errorInfo("CREDENTIALS_MISSING", { service })], { "www-authenticate": REALM });
  }

  const grant = findAccessToken(state, token) ?? readSelfSignedToken(state, token, service, now);
  if (!grant) throw invalid("ACCESS_TOKEN_TYPE_UNSUPPORTED", service);
  if (grant.expires * 1000 <= now) throw invalid("ACCESS_TOKEN_EXPIRED", service);
  if (!isInForce(grant, state)) throw invalid("ACCOUNT_STATE_INVALID", service);

  const fitting = [CLOUD_PLATFORM, ...(SCOPES[service.split(".")[0] ?? ""] ?? [])];
  if (!grant.scopes.some((scope) => fitting.includes(scope))) {
    throw new ApiError(
      "PERMISSION_DENIED",
      "Request had insufficient authentication scopes.",
      [errorInfo("ACCESS_TOKEN_SCOPE_INSUFFICIENT", { service })],
      {
        "www-authenticate": `${REALM}, error="insufficient_scope", scope="${fitting.join(" ")}"`,
      },
    );
  }
  const { email, federated, scopes } = grant;
  if (!federated) return { member: `${state.users.get(email) ? "user" : "serviceAccount"}:${email}`, email, scopes };
  return { member: email, email, principalSets: federated.principalSets, scopes };
}

/** Whether the principal of a token can still use it: a federated principal depends on its pool, not on the provider. */
function isInForce({ email, federated }: AccessToken, state: State): boolean {
  const account = state.serviceAccounts.get(email);
  if (!federated) return state.users.get(email) !== undefined || (account !== undefined && !account.disabled);
  const pool = state.workloadIdentityPools.get(federated.pool);
  return pool?.state === "ACTIVE" && !pool.disabled;
}

function invalid(reason: string, service: string): ApiError {
  return new ApiError("UNAUTHENTICATED", `Request had invalid authentication credentials. ${EXPECTED}`, [errorInfo(reason, { service })], {
    "www-authenticate": `${REALM}, error="invalid_token"`,
  });
}
