import { X509Certificate } from "node:crypto";
import type { ApiRequest } from "../server/api-request.ts";
import { ApiError, invalidArgument } from "../server/errors.ts";
import { checkKeyCreation } from "../organization/org-policies.ts";
import type { ServiceAccount, ServiceAccountKey } from "../state/resources.ts";
import type { Route } from "../server/router.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";
import { accountResource, requireAccount } from "./account-routes.ts";
import { createKey } from "./service-accounts.ts";

// Unlike Cloud Run: the number of keys per account isn't limited, and keys can't be uploaded.
/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys */
export function keyRoutes({ state, now }: Pick<Runtime, "state" | "now">): Record<string, Route> {
  const keyRoute = (verb: string, handle: (account: ServiceAccount, request: ApiRequest) => unknown): Route => ({
    permission: `iam.serviceAccountKeys.${verb}`,
    resource: (request) => accountResource(state, request),
    handle: (request) => handle(requireAccount(state, request), request),
  });
  const setDisabled = (disabled: boolean) => (account: ServiceAccount, request: ApiRequest) => {
    state.keys.set(`${account.email}/${request.param("key")}`, { ...requireKey(state, account, request), disabled });
    return {};
  };

  return {
    "POST /v1/projects/{project}/serviceAccounts/{account}/keys": keyRoute("create", async (account, { body }) => {
      checkKind(await body.json());
      checkKeyCreation(state, account);
      const { key, file } = await createKey(state, account, now());
      const privateKeyData = Buffer.from(`${JSON.stringify(file, null, 2)}\n`).toString("base64");
      return { ...describeKey(account, key), privateKeyType: "TYPE_GOOGLE_CREDENTIALS_FILE", privateKeyData };
    }),
    "GET /v1/projects/{project}/serviceAccounts/{account}/keys": keyRoute("list", (account, { query }) => {
      const types = query.getAll("keyTypes");
      // Unlike Cloud Run: keys that Google manages for an account aren't listed.
      const keys = types.length === 0 || types.includes("USER_MANAGED") ? state.keys.list(`${account.email}/`) : [];
      return { keys: keys.map((key) => describeKey(account, key)) };
    }),
    "GET /v1/projects/{project}/serviceAccounts/{account}/keys/{key}": keyRoute("get", (account, request) => {
      const key = requireKey(state, account, request);
      return { ...describeKey(account, key), ...publicKeyData(key, request.query.get("publicKeyType")) };
    }),
    "DELETE /v1/projects/{project}/serviceAccounts/{account}/keys/{key}": keyRoute("delete", (account, request) => {
      state.keys.delete(`${account.email}/${requireKey(state, account, request).keyId}`);
      return {};
    }),
    "POST /v1/projects/{project}/serviceAccounts/{account}/keys/{key}:disable": keyRoute("disable", setDisabled(true)),
    "POST /v1/projects/{project}/serviceAccounts/{account}/keys/{key}:enable": keyRoute("enable", setDisabled(false)),
  };
}

function requireKey(state: State, account: ServiceAccount, request: ApiRequest): ServiceAccountKey {
  const key = state.keys.get(`${account.email}/${request.param("key")}`);
  if (!key) throw new ApiError("NOT_FOUND", `Service account key ${request.param("key")} does not exist.`);
  return key;
}

function checkKind(fields: Record<string, unknown>): void {
  const type = fields["privateKeyType"] ?? "TYPE_UNSPECIFIED";
  const algorithm = fields["keyAlgorithm"] ?? "KEY_ALG_UNSPECIFIED";
  const types: unknown[] = ["TYPE_UNSPECIFIED", "TYPE_GOOGLE_CREDENTIALS_FILE"];
  const algorithms: unknown[] = ["KEY_ALG_UNSPECIFIED", "KEY_ALG_RSA_2048"];
  // Unlike Cloud Run: PKCS #12 files and RSA keys of 1024 bits can't be created.
  if (!types.includes(type)) throw invalidArgument(`The emulator can't create keys of type ${String(type)}.`);
  if (!algorithms.includes(algorithm)) throw invalidArgument(`The emulator can't create keys with the algorithm ${String(algorithm)}.`);
}

function describeKey(
  { email, projectId }: ServiceAccount,
  { keyId, validAfterTime, validBeforeTime, disabled }: ServiceAccountKey,
): object {
  const name = `projects/${projectId}/serviceAccounts/${email}/keys/${keyId}`;
  return {
    name,
    validAfterTime,
    validBeforeTime,
    keyAlgorithm: "KEY_ALG_RSA_2048",
    keyOrigin: "GOOGLE_PROVIDED",
    keyType: "USER_MANAGED",
    ...(disabled && { disabled }),
  };
}

function publicKeyData({ certificate }: ServiceAccountKey, type: string | null): object {
  const encode = (text: string): object => ({ publicKeyData: Buffer.from(text).toString("base64") });
  if (type === "TYPE_X509_PEM_FILE") return encode(certificate);
  if (type === "TYPE_RAW_PUBLIC_KEY")
    return encode(new X509Certificate(certificate).publicKey.export({ type: "spki", format: "pem" }).toString());
  return {};
}
