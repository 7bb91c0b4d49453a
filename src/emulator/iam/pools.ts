import { randomBytes } from "node:crypto";
import * as v from "valibot";
import type { ApiRequest } from "../server/api-request.ts";
import { invalidArgument } from "../server/errors.ts";
import { requireProject } from "../state/projects.ts";
import type { Project, WorkloadIdentityPool, WorkloadIdentityProvider } from "../state/resources.ts";
import type { State } from "../state/state.ts";

/** How long a deleted pool or provider can be restored. */
const UNDELETE_PERIOD_MS = 30 * 86_400_000;

export const COMMON_FIELDS = {
  displayName: v.optional(v.pipe(v.string(), v.maxLength(32))),
  description: v.optional(v.pipe(v.string(), v.maxLength(256))),
  disabled: v.optional(v.boolean()),
};

/** The project that a request's path names. Throws ApiError NOT_FOUND. */
export function projectOf(state: State, request: ApiRequest): Project {
  return requireProject(state, request.param("project"));
}

export function poolKey(state: State, request: ApiRequest): string {
  return `${projectOf(state, request).projectId}/${request.param("pool")}`;
}

/** A pool's full name, which contains the project's number. */
export function poolName({ projectNumber, id }: Pick<WorkloadIdentityPool, "projectNumber" | "id">): string {
  return `projects/${projectNumber}/locations/global/workloadIdentityPools/${id}`;
}

export function providerName({ projectNumber, pool, id }: WorkloadIdentityProvider): string {
  return `${poolName({ projectNumber, id: pool })}/providers/${id}`;
}

/** The id in a create request's URL. Throws ApiError INVALID_ARGUMENT if Google would refuse it. */
export function checkId(id: string | null, field: string): string {
  if (id !== null && /^[a-z0-9-]{4,32}$/.test(id) && !id.startsWith("gcp-")) return id;
  throw invalidArgument(`${field} must be 4-32 characters of [a-z0-9-], and must not begin with gcp-.`);
}

export function parseCommonFields(body: object) {
  return parse(v.object(COMMON_FIELDS), body);
}

/** Reads fields according to a schema. Throws ApiError INVALID_ARGUMENT for the first that doesn't match. */
export function parse<Schema extends v.GenericSchema>(schema: Schema, body: object): v.InferOutput<Schema> {
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null && value !== undefined));
  const result = v.safeParse(schema, given);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw invalidArgument(`Invalid value at '${v.getDotPath(issue) ?? ""}': ${issue.message}`);
}

/** The fields after a PATCH request: those that `updateMask` names come from the request; `oidc.issuerUri` names a nested field. */
export function applyMask(current: object, given: Readonly<Record<string, unknown>>, mask: string | null): Record<string, unknown> {
  const next: Record<string, unknown> = { ...current };
  for (const path of (mask ?? Object.keys(given).join(",")).split(",").filter(Boolean)) {
    const [name = "", inner] = path.split(".");
    const [before, after] = [next[name], given[name]] as (Record<string, unknown> | undefined)[];
    next[name] = inner === undefined ? after : { ...before, [inner]: after?.[inner] };
  }
  return next;
}

export function isVisible({ state }: WorkloadIdentityPool, { query }: ApiRequest): boolean {
  return state === "ACTIVE" || query.get("showDeleted") === "true";
}

/** When a pool or provider that is deleted now will be purged. */
export function purgeTime({ now }: State): string {
  return new Date(now() + UNDELETE_PERIOD_MS).toISOString();
}

/** A completed operation. Google's has no response: clients read the resource again. */
export function completedOperation(resource: string, id = randomBytes(16).toString("hex")): object {
  return { name: `${resource}/operations/${id}`, done: true };
}
