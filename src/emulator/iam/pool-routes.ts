import { param, type Call } from "../server/call.ts";
import { ApiError } from "../server/errors.ts";
import { page } from "../apis/pagination.ts";
import type { WorkloadIdentityPool } from "../state/resources.ts";
import type { Route } from "../server/router.ts";
import type { Runtime } from "../runtime.ts";
import { applyMask, checkId, isShown, operationOn, parseTexts, poolKey, poolName, projectOf, purgeTime } from "./pools.ts";

const POOLS = "/v1/projects/{project}/locations/global/workloadIdentityPools";

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools */
export function poolRoutes({ state }: Pick<Runtime, "state">): Record<string, Route> {
  const find = (call: Call): WorkloadIdentityPool => {
    const pool = state.workloadIdentityPools.get(poolKey(state, call));
    if (pool) return pool;
    throw new ApiError("NOT_FOUND", "Requested entity was not found.");
  };
  const change = (call: Call, changes: Partial<WorkloadIdentityPool>): object => {
    const pool = find(call);
    state.workloadIdentityPools.set(poolKey(state, call), { ...pool, ...changes });
    return operationOn(poolName(pool));
  };
  const route = (verb: string, handle: Route["handle"]): Route => ({ permission: `iam.workloadIdentityPools.${verb}`, handle });

  return {
    [`POST ${POOLS}`]: route("create", async (call) => {
      const id = checkId(call.url.searchParams.get("workloadIdentityPoolId"), "workload_identity_pool_id");
      const { projectId, projectNumber } = projectOf(state, call);
      const pool: WorkloadIdentityPool = { projectNumber, id, ...parseTexts(await call.body.json()), state: "ACTIVE" };
      if (state.workloadIdentityPools.get(`${projectId}/${id}`)) throw new ApiError("ALREADY_EXISTS", "Requested entity already exists");
      state.workloadIdentityPools.set(`${projectId}/${id}`, pool);
      return operationOn(poolName(pool));
    }),
    [`GET ${POOLS}`]: route("list", (call) => {
      const { projectId } = projectOf(state, call);
      const pools = state.workloadIdentityPools.list(`${projectId}/`).filter((pool) => isShown(pool, call));
      return page("workloadIdentityPools", pools.map(poolMessage), call.url.searchParams);
    }),
    [`GET ${POOLS}/{pool}`]: route("get", (call) => poolMessage(find(call))),
    [`PATCH ${POOLS}/{pool}`]: route("update", async (call) => {
      const { displayName, description, disabled } = find(call);
      const given = applyMask({ displayName, description, disabled }, await call.body.json(), call.url.searchParams.get("updateMask"));
      return change(call, { displayName: undefined, description: undefined, disabled: undefined, ...parseTexts(given) });
    }),
    [`DELETE ${POOLS}/{pool}`]: route("delete", (call) => change(call, { state: "DELETED", expireTime: purgeTime(state) })),
    [`POST ${POOLS}/{pool}:undelete`]: route("undelete", (call) => change(call, { state: "ACTIVE", expireTime: undefined })),
    // Unlike Cloud Run: what takes Google a moment with pools and providers is done at once, so every operation is done.
    [`GET ${POOLS}/{pool}/operations/{operation}`]: route("get", (call) => operationOn(poolName(find(call)), param(call, "operation"))),
  };
}

function poolMessage(pool: WorkloadIdentityPool): object {
  const { projectNumber: _, id: __, ...fields } = pool;
  return { name: poolName(pool), ...fields };
}
