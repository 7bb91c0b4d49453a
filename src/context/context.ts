import { resolve } from "node:path";
import type { Cloud } from "../cloud/cloud.ts";
import type { GlobalOptions } from "../cli/program.ts";
import type { Request, Send } from "../http/client.ts";
import { openSettings, type Settings } from "../settings/settings.ts";
import type { Terminal } from "../terminal/terminal.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** All that a command may touch. */
export interface Context {
  readonly terminal: Terminal;
  readonly settings: Settings;
  /** The environment that settings were read from: the process's own, with the emulator's laid over it under `--emulator`. */
  readonly env: Environment;
  /** Absolute; what relative paths on the command line are relative to (`--cwd`). */
  readonly cwd: string;
  /** The program and the arguments that start this command line as a process of its own. */
  readonly self: readonly string[];
  /** Aborted by Ctrl-C, SIGTERM and `--timeout`; its reason is the CliError to end with. */
  readonly signal: AbortSignal;
  /** What is piped in; read only where the command line says so (`-d @-`). */
  readonly stdin: AsyncIterable<Buffer | string>;
  /** True under `--dry-run`: say what would be done, change nothing. */
  readonly dryRun: boolean;
  /** What stood behind `--` on the command line. */
  readonly rest: readonly string[];
  /** The control plane, by gcloud or by Google's APIs as `--via` says. Loaded when it is first asked for. */
  cloud(): Promise<Cloud>;
  /** The same for a folder of a service's own: its project file is the one that counts. */
  within(folder: string): Context;
  /** Sends one HTTP request; knows proxies and the emulator. Loaded when it is first asked for. */
  send: Send;
}

type Given = Pick<Context, "terminal" | "stdin" | "env" | "cwd" | "self" | "signal" | "rest">;

/** Throws SETTINGS_INVALID where a flag breaks its rule, EMULATOR_NOT_RUNNING under `--emulator` without one. */
export async function openContext({ options, ...given }: Given & { readonly options: GlobalOptions }): Promise<Context> {
  const cwd = resolve(given.cwd, options.cwd ?? ".");
  const env = options.emulator ? await emulatorEnvironment(given.env, cwd) : given.env;
  return createContext({ ...given, env, cwd, dryRun: options.dryRun ?? false, flags: { ...options } });
}

interface Parts extends Given {
  readonly dryRun: boolean;
  /** The options of the command line, by their long names. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Where the project file is looked for; `cwd` where it is not said. */
  readonly folder?: string;
}

/** A context over its parts; `quickstart` makes one of its own for the emulator that it starts. */
export function createContext({ flags, folder, ...parts }: Parts): Context {
  const settings = openSettings({ flags, env: parts.env, cwd: parts.cwd, folder });
  const { debug, note } = parts.terminal;
  let cloud: Promise<Cloud> | undefined;
  let send: Promise<Send> | undefined;
  const openSend = () => (send ??= import("../http/client.ts").then(({ createSend }) => createSend({ ...parts, debug, note })));
  const context: Context = {
    ...parts,
    settings,
    cloud: () => (cloud ??= import("../cloud/open-cloud.ts").then(({ openCloud }) => openCloud(context))),
    within: (other) => createContext({ ...parts, flags, folder: other }),
    // What fails to open fails again when it is asked for an answer.
    send: Object.assign(async (request: Request) => (await openSend())(request), {
      connect: (url: URL) =>
        void openSend().then(
          ({ connect }) => connect?.(url),
          () => {},
        ),
    }),
  };
  return context;
}

/** The emulator's variables over the user's own, without those of ours that would lead away from it. */
async function emulatorEnvironment(env: Environment, cwd: string): Promise<Environment> {
  const { requireEmulator } = await import("./running-emulator.ts");
  return mergeEnvironment(env, (await requireEmulator({ env, cwd }, {})).environment);
}

const LEADING_AWAY = [
  "CLOUDRUN_OAUTH_PROJECT",
  "CLOUDRUN_OAUTH_REGION",
  "CLOUDRUN_OAUTH_CREDENTIALS_JSON",
  "CLOUDRUN_OAUTH_CREDENTIALS",
  "CLOUDRUN_OAUTH_IMPERSONATE_SERVICE_ACCOUNT",
  "CLOUDRUN_OAUTH_MEMBER",
];

/** An environment brought to an emulator; null and undefined stand for a variable that must not be set. */
export function mergeEnvironment(env: Environment, emulator: Readonly<Record<string, string | null | undefined>>): Environment {
  const laid: Record<string, string | undefined> = { ...env };
  for (const name of LEADING_AWAY) delete laid[name];
  for (const [name, value] of Object.entries(emulator)) {
    if (value == null) delete laid[name];
    else laid[name] = value;
  }
  return laid;
}
