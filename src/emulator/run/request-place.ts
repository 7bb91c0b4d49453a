import type { ApiRequest } from "../server/api-request.ts";
import { ApiError, invalidArgument } from "../server/errors.ts";
import { findProject } from "../state/projects.ts";
import type { Project } from "../state/resources.ts";
import type { State } from "../state/state.ts";
import { keyOf, type Place } from "./names.ts";
import { REGIONS } from "./regions.ts";

/** The project in a request's path, by ID or number. Throws ApiError PERMISSION_DENIED. */
export function projectOf(state: State, request: ApiRequest): Project {
  const name = request.param("project");
  const project = findProject(state, name);
  if (!project) throw new ApiError("PERMISSION_DENIED", `Permission denied on resource project ${name} (or it may not exist).`);
  return project;
}

/** The project and region of a request, from its path or host. Throws ApiError if they don't exist. */
export function placeOf(state: State, request: ApiRequest): Place {
  const region = request.params["location"] ?? request.region;
  // Unlike Cloud Run: the global host names the host to use instead of responding with 404.
  if (region === undefined) throw invalidArgument("This method is served by regional hosts only, such as us-central1-run.googleapis.com.");
  if (!REGIONS.has(region)) throw new ApiError("NOT_FOUND", `Location '${region}' is not found or access is unauthorized.`);
  return { project: projectOf(state, request), region };
}

/** The prefix of keys in a request's region; in all regions for the global host and location `-`. */
export function keyPrefixOf(state: State, request: ApiRequest): string {
  const region = request.params["location"] ?? request.region ?? "-";
  return region === "-" ? `${projectOf(state, request).projectId}/` : keyOf(placeOf(state, request), "");
}
