import { findProject } from "../projects.ts";
import type { State } from "../state.ts";

/** A resource's full name with the project's id where the caller wrote its number. */
export function canonicalName(state: State, resource: string): string {
  const [, number, rest = ""] = /^projects\/(\d+)(\/.*)?$/.exec(resource) ?? [];
  const project = number === undefined ? undefined : findProject(state, number);
  return project ? `projects/${project.projectId}${rest}` : resource;
}
