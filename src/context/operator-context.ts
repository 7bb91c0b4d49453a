import { projectEnvironment, type EmulatorStatus } from "../emulator/index.ts";
import type { Context } from "./context.ts";
import { createContext } from "./create-context.ts";
import { mergeEnvironment } from "./merge-environment.ts";

/** Creates a context that acts as the operator of a project on a running emulator, through Google's APIs. */
export function createOperatorContext(
  source: Pick<Context, "terminal" | "stdin" | "env" | "cwd" | "signal">,
  running: EmulatorStatus,
  { project = running.project, region = running.region } = {},
): Context {
  const env = mergeEnvironment(source.env, projectEnvironment(running, project));
  return createContext({ ...source, env, self: [], passedArguments: [], dryRun: false, flags: { project, region, via: "api" } });
}
