import type { Cloud } from "../cloud/cloud.ts";
import type { Send } from "../http/request.ts";
import type { Settings } from "../settings/settings.ts";
import type { Terminal } from "../terminal/terminal.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that a command has access to. */
export interface Context {
  readonly terminal: Terminal;
  readonly settings: Settings;
  /** The environment that settings were read from: the process's own; under `--emulator` with the emulator's variables merged into it. */
  readonly env: Environment;
  /** Absolute; relative paths on the command line are relative to it (`--cwd`). */
  readonly cwd: string;
  /** The program and the arguments that start this command line as a process of its own. */
  readonly self: readonly string[];
  /** Aborted by Ctrl-C, SIGTERM and `--timeout`; its reason is the CliError to end with. */
  readonly signal: AbortSignal;
  /** Standard input; read only if the command line asks for it (`-d @-`). */
  readonly stdin: AsyncIterable<Buffer | string>;
  /** True under `--dry-run`: print what would be done, change nothing. */
  readonly dryRun: boolean;
  /** The arguments after `--` on the command line. */
  readonly passedArguments: readonly string[];
  /** The control plane, through gcloud or Google's APIs (`--via`). Loaded on first use. */
  cloud(): Promise<Cloud>;
  /** This context for the folder of a service, whose project file then counts. */
  within(folder: string): Context;
  /** Sends one HTTP request through proxies and to the emulator. Loaded on first use. */
  send: Send;
}
