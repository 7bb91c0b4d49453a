import type { ApiRequest } from "../server/api-request.ts";
import { ApiError, entityNotFound } from "../server/errors.ts";
import { listPage } from "../apis/pagination.ts";
import type { WorkloadIdentityProvider } from "../state/resources.ts";
import type { Route } from "../server/router.ts";
import type { Runtime } from "../runtime.ts";
import { applyMask, checkId, isVisible, completedOperation, poolKey, projectOf, providerName, purgeTime } from "./pools.ts";
import { parseProvider } from "./provider-request.ts";

const PROVIDERS = "/v1/projects/{project}/locations/global/workloadIdentityPools/{pool}/providers";

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers */
export function providerRoutes({ state }: Pick<Runtime, "state">): Record<string, Route> {
  const keyOf = (request: ApiRequest): string => `${poolKey(state, request)}/${request.param("provider")}`;
  const find = (request: ApiRequest): WorkloadIdentityProvider => {
    const provider = state.workloadIdentityProviders.get(keyOf(request));
    if (provider) return provider;
    throw entityNotFound();
  };
  const store = (request: ApiRequest, provider: WorkloadIdentityProvider): object => {
    state.workloadIdentityProviders.set(`${poolKey(state, request)}/${provider.id}`, provider);
    return completedOperation(providerName(provider));
  };
  const providerRoute = (verb: string, handle: Route["handle"]): Route => ({
    permission: `iam.workloadIdentityPoolProviders.${verb}`,
    handle,
  });

  return {
    [`POST ${PROVIDERS}`]: providerRoute("create", async (request) => {
      const id = checkId(request.query.get("workloadIdentityPoolProviderId"), "workload_identity_pool_provider_id");
      const fields = parseProvider(await request.body.json());
      const { projectNumber } = projectOf(state, request);
      if (state.workloadIdentityPools.get(poolKey(state, request))?.state !== "ACTIVE") throw entityNotFound();
      if (state.workloadIdentityProviders.get(`${poolKey(state, request)}/${id}`))
        throw new ApiError("ALREADY_EXISTS", "Requested entity already exists");
      return store(request, { projectNumber, pool: request.param("pool"), id, ...fields, state: "ACTIVE" });
    }),
    [`GET ${PROVIDERS}`]: providerRoute("list", (request) => {
      const providers = state.workloadIdentityProviders
        .list(`${poolKey(state, request)}/`)
        .filter((provider) => isVisible(provider, request));
      return listPage(request.query, "workloadIdentityPoolProviders", providers.map(providerMessage));
    }),
    [`GET ${PROVIDERS}/{provider}`]: providerRoute("get", (request) => providerMessage(find(request))),
    [`PATCH ${PROVIDERS}/{provider}`]: providerRoute("update", async (request) => {
      const { projectNumber, pool, id, state, expireTime, ...current } = find(request);
      const fields = parseProvider(applyMask(current, await request.body.json(), request.query.get("updateMask")));
      return store(request, { projectNumber, pool, id, state, ...(expireTime && { expireTime }), ...fields });
    }),
    [`DELETE ${PROVIDERS}/{provider}`]: providerRoute("delete", (request) =>
      store(request, { ...find(request), state: "DELETED", expireTime: purgeTime(state) }),
    ),
    [`POST ${PROVIDERS}/{provider}:undelete`]: providerRoute("undelete", (request) =>
      store(request, { ...find(request), state: "ACTIVE", expireTime: undefined }),
    ),
    [`GET ${PROVIDERS}/{provider}/operations/{operation}`]: providerRoute("get", (request) =>
      completedOperation(providerName(find(request)), request.param("operation")),
    ),
  };
}

function providerMessage(provider: WorkloadIdentityProvider): object {
  const { projectNumber: _, pool: __, id: ___, ...fields } = provider;
  return { name: providerName(provider), ...fields };
}
