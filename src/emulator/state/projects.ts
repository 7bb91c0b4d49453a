import { entityNotFound } from "../server/errors.ts";
import type { Project } from "./resources.ts";
import type { State } from "./state.ts";

/** A project by its id or its number; Google's APIs accept either. */
export function findProject(state: State, idOrNumber: string): Project | undefined {
  return state.projects.get(idOrNumber) ?? state.projects.list().find(({ projectNumber }) => projectNumber === idOrNumber);
}

/** A project by its id or its number. Throws ApiError NOT_FOUND. */
export function requireProject(state: State, idOrNumber: string): Project {
  const project = findProject(state, idOrNumber);
  if (!project) throw entityNotFound();
  return project;
}
