import { sign } from "node:crypto";
import { isStringArray } from "../server/json.ts";
import type { ApiRequest } from "../server/api-request.ts";
import type { Identity, Principal } from "../iam/principal.ts";
import { ApiError, errorInfo, invalidArgument } from "../server/errors.ts";
import { isAllowed } from "../iam/policy.ts";
import { findServiceAccount } from "../iam/service-accounts.ts";
import { issueAccessToken } from "../oauth2/access-tokens.ts";
import { isScope } from "../oauth2/assertion.ts";
import { issueIdToken } from "../oauth2/id-tokens.ts";
import { signJwt } from "../oauth2/jwt.ts";
import type { ServiceAccount } from "../state/resources.ts";
import type { Api, Route } from "../server/router.ts";
import type { TokenRuntime } from "../runtime.ts";
import type { State } from "../state/state.ts";

type Fields = Readonly<Record<string, unknown>>;

const MAX_ACCESS_TOKEN_SECONDS = 3600;
const MAX_JWT_SECONDS = 12 * 3600;

/** https://cloud.google.com/iam/docs/reference/credentials/rest */
export function createIamCredentialsApi(runtime: TokenRuntime): Api {
  const { state, signingKeys, now } = runtime;
  const route = (permission: string, handle: (account: ServiceAccount, fields: Fields) => Promise<object>): Route => ({
    handle: async (request) => {
      // A null field isn't set: https://protobuf.dev/programming-guides/json/#null-values
      const fields = Object.fromEntries(Object.entries(await request.body.json()).filter(([, value]) => value !== null));
      return handle(impersonate(state, request, fields["delegates"], permission), fields);
    },
  });

  return {
    hosts: ["iamcredentials.googleapis.com"],
    routes: {
      "POST /v1/projects/{project}/serviceAccounts/{account}:generateIdToken": route(
        "iam.serviceAccounts.getOpenIdToken",
        async (account, fields) => {
          const { audience, includeEmail, useEmailAzp } = fields;
          if (typeof audience !== "string" || audience === "") throw invalidArgument();
          const azp = useEmailAzp === true ? account.email : account.uniqueId;
          return { token: await issueIdToken(runtime, account, { audience, includeEmail: includeEmail === true, azp }) };
        },
      ),
      "POST /v1/projects/{project}/serviceAccounts/{account}:generateAccessToken": route(
        "iam.serviceAccounts.getAccessToken",
        async (account, fields) => {
          const { scope: scopes } = fields;
          if (!isStringArray(scopes) || scopes.length === 0 || !scopes.every(isScope)) throw invalidArgument();
          const expires = Math.floor(now() / 1000) + readLifetime(fields["lifetime"]);
          const accessToken = issueAccessToken(state, { email: account.email, scopes, expires });
          return { accessToken, expireTime: new Date(expires * 1000).toISOString().replace(".000", "") };
        },
      ),
      "POST /v1/projects/{project}/serviceAccounts/{account}:signJwt": route("iam.serviceAccounts.signJwt", async (account, fields) => {
        const payload = readPayload(fields["payload"], now() / 1000);
        const pair = await signingKeys.accountKey(account.uniqueId);
        return { keyId: pair.keyId, signedJwt: signJwt(payload, pair) };
      }),
      "POST /v1/projects/{project}/serviceAccounts/{account}:signBlob": route("iam.serviceAccounts.signBlob", async (account, fields) => {
        const { payload } = fields;
        if (typeof payload !== "string") throw invalidArgument();
        const { keyId, privateKey } = await signingKeys.accountKey(account.uniqueId);
        return { keyId, signedBlob: sign("sha256", Buffer.from(payload, "base64"), privateKey).toString("base64") };
      }),
    },
  };
}

/**
 * The account that a request acts as, if the caller can: each of `delegates` needs permission to act as the next, and the last one as the
 * account. https://cloud.google.com/iam/docs/create-short-lived-credentials-delegated
 */
function impersonate(state: State, request: ApiRequest, delegates: unknown, permission: string): ServiceAccount {
  if (request.param("project") !== "-" || !(delegates === undefined || isStringArray(delegates))) throw invalidArgument();
  let principal: Identity = request.principal as Principal;
  for (const name of delegates ?? []) {
    const delegate = requireAccount(state, /^projects\/-\/serviceAccounts\/([^/]+)$/.exec(name)?.[1] ?? "");
    checkAllowed(state, principal, "iam.serviceAccounts.implicitDelegation", delegate);
    principal = { member: `serviceAccount:${delegate.email}`, email: delegate.email };
  }
  const account = requireAccount(state, request.param("account"));
  checkAllowed(state, principal, permission, account);
  if (account.disabled) throw new ApiError("FAILED_PRECONDITION", `Service account ${account.email} is disabled.`);
  return account;
}

function requireAccount(state: State, name: string): ServiceAccount {
  const account = findServiceAccount(state, "-", name);
  if (!account) throw new ApiError("NOT_FOUND", `Not found; Gaia id not found for email ${name}`);
  return account;
}

function checkAllowed(state: State, principal: Identity, permission: string, { projectId, email }: ServiceAccount): void {
  if (isAllowed(state, principal, permission, `projects/${projectId}/serviceAccounts/${email}`)) return;
  throw new ApiError("PERMISSION_DENIED", `Permission '${permission}' denied on resource (or it may not exist).`, [
    errorInfo("IAM_PERMISSION_DENIED", { permission }, "iam.googleapis.com"),
  ]);
}

/** The seconds of a protobuf Duration (`3600s`); an hour by default. */
function readLifetime(lifetime: unknown): number {
  if (lifetime === undefined || lifetime === "") return MAX_ACCESS_TOKEN_SECONDS;
  const seconds = typeof lifetime === "string" ? Number(/^(\d+)(\.\d+)?s$/.exec(lifetime)?.[1]) : Number.NaN;
  if (!(seconds > 0)) throw invalidArgument();
  if (seconds > MAX_ACCESS_TOKEN_SECONDS) throw invalidArgument("The access token lifetime cannot exceed 3600 seconds.");
  return seconds;
}

/** A JWT's claims as the caller wrote them. Throws ApiError INVALID_ARGUMENT if they aren't a JSON object. */
function readPayload(payload: unknown, now: number): string {
  let claims: unknown;
  try {
    claims = JSON.parse(String(payload));
  } catch {
    throw invalidArgument();
  }
  if (typeof payload !== "string" || typeof claims !== "object" || claims === null || Array.isArray(claims)) throw invalidArgument();
  const { exp } = claims as Fields;
  if (exp !== undefined && !(typeof exp === "number" && exp <= now + MAX_JWT_SECONDS)) throw invalidArgument();
  return payload;
}
