import { resolve } from "node:path";
import type { Cloud } from "../cloud/cloud.ts";
import type { Request, Send } from "../http/request.ts";
import { openSettings } from "../settings/settings.ts";
import type { Context, Environment } from "./context.ts";
import type { GlobalOptions } from "./global-flags.ts";
import { mergeEnvironment } from "./merge-environment.ts";

type ContextSource = Pick<Context, "terminal" | "stdin" | "env" | "cwd" | "self" | "signal" | "passedArguments">;

/** Throws SETTINGS_INVALID if a flag breaks its rule, EMULATOR_NOT_RUNNING if `--emulator` is passed and none runs. */
export async function openContext({ options, ...source }: ContextSource & { readonly options: GlobalOptions }): Promise<Context> {
  const cwd = resolve(source.cwd, options.cwd ?? ".");
  const env = options.emulator ? await emulatorEnvironment(source.env, cwd) : source.env;
  return createContext({ ...source, env, cwd, dryRun: options.dryRun ?? false, flags: { ...options } });
}

interface ContextOptions extends ContextSource {
  readonly dryRun: boolean;
  /** The flags of the command line, by their long names in camel case. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** The folder that holds the project file; by default `cwd`. */
  readonly folder?: string;
}

/** A context of these parts; `quickstart` creates its own for the emulator that it starts. */
export function createContext({ flags, folder, ...parts }: ContextOptions): Context {
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
    // If the client can't be opened, the first request reports it: connecting ahead of time reports nothing.
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

async function emulatorEnvironment(env: Environment, cwd: string): Promise<Environment> {
  const { requireEmulator } = await import("./emulator-client.ts");
  return mergeEnvironment(env, (await requireEmulator({ env, cwd }, {})).environment);
}
