import { createContext } from "./create-context.ts";
import { mergeEnvironment } from "./merge-environment.ts";
import type { Context } from "./context.ts";
import { projectEnvironment, type EmulatorStatus } from "../emulator/index.ts";

type Surroundings = Pick<Context, "terminal" | "stdin" | "env" | "cwd" | "signal">;

/** A context that acts on a project of a running emulator as the project's operator, by Google's APIs. */
export function operatorContext(
  around: Surroundings,
  running: EmulatorStatus,
  { project = running.project, region = running.region } = {},
): Context {
  const env = mergeEnvironment(around.env, projectEnvironment(running, project));
  return createContext({ ...around, env, self: [], rest: [], dryRun: false, flags: { project, region, via: "api" } });
}
