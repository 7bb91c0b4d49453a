import { startGroup } from "../process-group.ts";
import type { Reaper } from "../reaper.ts";

interface Program {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** How the user knows the command. */
  readonly name: string;
}

/** Runs a program of a build to its end; its output is in the log. Throws an Error that says how it failed, and the signal's reason where that is aborted. */
export type Runner = (program: Program) => Promise<void>;

// As long as Docker waits, in milliseconds.
const GRACE = 10_000;

export function createRunner(log: (text: string) => void, signal: AbortSignal, reaper: Reaper): Runner {
  return async ({ name, ...program }) => {
    signal.throwIfAborted();
    const group = await startGroup({ ...program, log: (_stream, line) => log(`${line}\n`), reaper });
    const abort = (): void => void group.stop(GRACE);
    signal.addEventListener("abort", abort);
    const end = await group.exited;
    signal.removeEventListener("abort", abort);
    signal.throwIfAborted();
    if (end.code === 0) return;
    const outcome = end.code === null ? `was ended by ${end.signal}` : `returned a non-zero code: ${end.code}`;
    throw new Error(`The command '${name}' ${outcome}`);
  };
}
