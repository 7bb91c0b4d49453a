import { findProject } from "../state/projects.ts";
import type { State } from "../state/state.ts";

/** A resource's full name with the project's id where the caller wrote its number. */
export function canonicalName(state: State, resource: string): string {
  // Each decision about a call asks several times: an id does not begin with a digit.
  const first = resource.charCodeAt("projects/".length);
  if (!(first >= 48 && first <= 57)) return resource;
  const [, number, rest = ""] = /^projects\/(\d+)(\/.*)?$/.exec(resource) ?? [];
  const project = number === undefined ? undefined : findProject(state, number);
  return project ? `projects/${project.projectId}${rest}` : resource;
}
