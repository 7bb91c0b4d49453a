import { param, type Call } from "../server/call.ts";
import { ApiError } from "../server/errors.ts";
import { page } from "../apis/pagination.ts";
import type { WorkloadIdentityProvider } from "../state/resources.ts";
import type { Route } from "../server/router.ts";
import type { Runtime } from "../runtime.ts";
import { applyMask, checkId, isShown, operationOn, poolKey, projectOf, providerName, purgeTime } from "./pools.ts";
import { parseProvider } from "./provider-request.ts";

const PROVIDERS = "/v1/projects/{project}/locations/global/workloadIdentityPools/{pool}/providers";

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers */
export function providerRoutes({ state }: Pick<Runtime, "state">): Record<string, Route> {
  const keyOf = (call: Call): string => `${poolKey(state, call)}/${param(call, "provider")}`;
  const find = (call: Call): WorkloadIdentityProvider => {
    const provider = state.workloadIdentityProviders.get(keyOf(call));
    if (provider) return provider;
    throw new ApiError("NOT_FOUND", "Requested entity was not found.");
  };
  const store = (call: Call, provider: WorkloadIdentityProvider): object => {
    state.workloadIdentityProviders.set(`${poolKey(state, call)}/${provider.id}`, provider);
    return operationOn(providerName(provider));
  };
  const route = (verb: string, handle: Route["handle"]): Route => ({ permission: `iam.workloadIdentityPoolProviders.${verb}`, handle });

  return {
    [`POST ${PROVIDERS}`]: route("create", async (call) => {
      const id = checkId(call.url.searchParams.get("workloadIdentityPoolProviderId"), "workload_identity_pool_provider_id");
      const fields = parseProvider(await call.body.json());
      const { projectNumber } = projectOf(state, call);
      if (state.workloadIdentityPools.get(poolKey(state, call))?.state !== "ACTIVE")
        throw new ApiError("NOT_FOUND", "Requested entity was not found.");
      if (state.workloadIdentityProviders.get(`${poolKey(state, call)}/${id}`))
        throw new ApiError("ALREADY_EXISTS", "Requested entity already exists");
      return store(call, { projectNumber, pool: param(call, "pool"), id, ...fields, state: "ACTIVE" });
    }),
    [`GET ${PROVIDERS}`]: route("list", (call) => {
      const providers = state.workloadIdentityProviders.list(`${poolKey(state, call)}/`).filter((provider) => isShown(provider, call));
      return page("workloadIdentityPoolProviders", providers.map(providerMessage), call.url.searchParams);
    }),
    [`GET ${PROVIDERS}/{provider}`]: route("get", (call) => providerMessage(find(call))),
    [`PATCH ${PROVIDERS}/{provider}`]: route("update", async (call) => {
      const { projectNumber, pool, id, state, expireTime, ...current } = find(call);
      const fields = parseProvider(applyMask(current, await call.body.json(), call.url.searchParams.get("updateMask")));
      return store(call, { projectNumber, pool, id, state, ...(expireTime && { expireTime }), ...fields });
    }),
    [`DELETE ${PROVIDERS}/{provider}`]: route("delete", (call) =>
      store(call, { ...find(call), state: "DELETED", expireTime: purgeTime(state) }),
    ),
    [`POST ${PROVIDERS}/{provider}:undelete`]: route("undelete", (call) =>
      store(call, { ...find(call), state: "ACTIVE", expireTime: undefined }),
    ),
    [`GET ${PROVIDERS}/{provider}/operations/{operation}`]: route("get", (call) =>
      operationOn(providerName(find(call)), param(call, "operation")),
    ),
  };
}

function providerMessage(provider: WorkloadIdentityProvider): object {
  const { projectNumber: _, pool: __, id: ___, ...fields } = provider;
  return { name: providerName(provider), ...fields };
}
