import type { Project } from "./resources.ts";
import type { State } from "./state.ts";

/** A project by its id or its number; Google's APIs take either. */
export function findProject(state: State, idOrNumber: string): Project | undefined {
  return state.projects.get(idOrNumber) ?? state.projects.list().find(({ projectNumber }) => projectNumber === idOrNumber);
}
