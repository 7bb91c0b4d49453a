import { GRACE_PERIOD_MS, startGroup, waitForExit } from "../process-group.ts";
import type { Reaper } from "../reaper.ts";

interface Program {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** How the build log names the command. */
  readonly name: string;
}

/**
 * Runs a program of a build until it ends and writes its output to the log. Throws an Error that says how it failed, or the signal's reason
 * if that is aborted.
 */
export type RunProgram = (program: Program) => Promise<void>;

export function createProgramRunner(log: (text: string) => void, signal: AbortSignal, reaper: Reaper): RunProgram {
  return async ({ name, ...program }) => {
    signal.throwIfAborted();
    const group = await startGroup({ ...program, log: (_stream, line) => log(`${line}\n`), reaper });
    const exit = await waitForExit(group, signal, () => group.stop(GRACE_PERIOD_MS));
    if (exit.code === 0) return;
    const outcome = exit.code === null ? `was terminated by ${exit.signal}` : `returned a non-zero code: ${exit.code}`;
    throw new Error(`The command '${name}' ${outcome}`);
  };
}
