import { pathParameter, type ApiRequest } from "../server/api-request.ts";
import { ApiError } from "../server/errors.ts";
import { findProject } from "../state/projects.ts";
import type { Project } from "../state/resources.ts";
import type { State } from "../state/state.ts";
import { keyOf, type Place } from "./naming.ts";
import { REGIONS } from "./regions.ts";

/** The project that a call's path names by its id or its number; throws ApiError PERMISSION_DENIED. */
export function projectOf(state: State, request: ApiRequest): Project {
  const name = pathParameter(request, "project");
  const project = findProject(state, name);
  if (!project) throw new ApiError("PERMISSION_DENIED", `Permission denied on resource project ${name} (or it may not exist).`);
  return project;
}

/** The project and region that a call's path or host name; throws ApiError where there is no such place. */
export function placeOf(state: State, request: ApiRequest): Place {
  const region = request.params["location"] ?? request.region;
  // Unlike Cloud Run: the global host says which host to ask instead of answering 404.
  if (region === undefined)
    throw new ApiError("INVALID_ARGUMENT", "This method is served by regional hosts only, such as us-central1-run.googleapis.com.");
  if (!REGIONS.has(region)) throw new ApiError("NOT_FOUND", `Location '${region}' is not found or access is unauthorized.`);
  return { project: projectOf(state, request), region };
}

/** What keys begin with in a call's region; in all regions on the global host and in location `-`. */
export function scopeOf(state: State, request: ApiRequest): string {
  const region = request.params["location"] ?? request.region ?? "-";
  return region === "-" ? `${projectOf(state, request).projectId}/` : keyOf(placeOf(state, request), "");
}
