import type { Streams } from "../terminal/terminal.ts";

/** The streams and the environment of the process that runs the command line. */
export interface ProcessIo extends Streams {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The program and the arguments that start this command line as a process of its own. */
  readonly self: readonly string[];
  /** Aborted when the run ends early. */
  readonly signal?: AbortSignal;
}
