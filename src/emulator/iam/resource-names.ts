import { findProject } from "../state/projects.ts";
import type { State } from "../state/state.ts";

/** A resource's full name, with the project's id instead of its number. */
export function canonicalName(state: State, resource: string): string {
  // A fast path, since each access decision calls this several times: a project id doesn't start with a digit.
  const first = resource.charCodeAt("projects/".length);
  if (!(first >= 48 && first <= 57)) return resource;
  const [, number, rest = ""] = /^projects\/(\d+)(\/.*)?$/.exec(resource) ?? [];
  const project = number === undefined ? undefined : findProject(state, number);
  return project ? `projects/${project.projectId}${rest}` : resource;
}
