import type { ApiRequest } from "../server/api-request.ts";
import { ApiError, entityNotFound } from "../server/errors.ts";
import { listPage } from "../apis/pagination.ts";
import type { WorkloadIdentityPool } from "../state/resources.ts";
import type { Route } from "../server/router.ts";
import type { Runtime } from "../runtime.ts";
import { applyMask, checkId, isVisible, completedOperation, parseCommonFields, poolKey, poolName, projectOf, purgeTime } from "./pools.ts";

const POOLS = "/v1/projects/{project}/locations/global/workloadIdentityPools";

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools */
export function poolRoutes({ state }: Pick<Runtime, "state">): Record<string, Route> {
  const find = (request: ApiRequest): WorkloadIdentityPool => {
    const pool = state.workloadIdentityPools.get(poolKey(state, request));
    if (pool) return pool;
    throw entityNotFound();
  };
  const change = (request: ApiRequest, changes: Partial<WorkloadIdentityPool>): object => {
    const pool = find(request);
    state.workloadIdentityPools.set(poolKey(state, request), { ...pool, ...changes });
    return completedOperation(poolName(pool));
  };
  const poolRoute = (verb: string, handle: Route["handle"]): Route => ({ permission: `iam.workloadIdentityPools.${verb}`, handle });

  return {
    [`POST ${POOLS}`]: poolRoute("create", async (request) => {
      const id = checkId(request.query.get("workloadIdentityPoolId"), "workload_identity_pool_id");
      const { projectId, projectNumber } = projectOf(state, request);
      const pool: WorkloadIdentityPool = { projectNumber, id, ...parseCommonFields(await request.body.json()), state: "ACTIVE" };
      if (state.workloadIdentityPools.get(`${projectId}/${id}`)) throw new ApiError("ALREADY_EXISTS", "Requested entity already exists");
      state.workloadIdentityPools.set(`${projectId}/${id}`, pool);
      return completedOperation(poolName(pool));
    }),
    [`GET ${POOLS}`]: poolRoute("list", (request) => {
      const { projectId } = projectOf(state, request);
      const pools = state.workloadIdentityPools.list(`${projectId}/`).filter((pool) => isVisible(pool, request));
      return listPage(request.query, "workloadIdentityPools", pools.map(poolMessage));
    }),
    [`GET ${POOLS}/{pool}`]: poolRoute("get", (request) => poolMessage(find(request))),
    [`PATCH ${POOLS}/{pool}`]: poolRoute("update", async (request) => {
      const { displayName, description, disabled } = find(request);
      const given = applyMask({ displayName, description, disabled }, await request.body.json(), request.query.get("updateMask"));
      return change(request, { displayName: undefined, description: undefined, disabled: undefined, ...parseCommonFields(given) });
    }),
    [`DELETE ${POOLS}/{pool}`]: poolRoute("delete", (request) => change(request, { state: "DELETED", expireTime: purgeTime(state) })),
    [`POST ${POOLS}/{pool}:undelete`]: poolRoute("undelete", (request) => change(request, { state: "ACTIVE", expireTime: undefined })),
    // Unlike Cloud Run: changes to pools and providers, which take Google a moment, are done at once, so every operation is done.
    [`GET ${POOLS}/{pool}/operations/{operation}`]: poolRoute("get", (request) =>
      completedOperation(poolName(find(request)), request.param("operation")),
    ),
  };
}

function poolMessage(pool: WorkloadIdentityPool): object {
  const { projectNumber: _, id: __, ...fields } = pool;
  return { name: poolName(pool), ...fields };
}
