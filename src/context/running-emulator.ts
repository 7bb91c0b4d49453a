import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Context } from "./context.ts";
import {
  createEmulator,
  emulatorHome,
  fetchStatus,
  findRunning,
  JournalError,
  NoContainerEngine,
  type Emulator,
  type EngineChoice,
  type Running,
} from "../emulator/index.ts";
import { CliError } from "../errors/cli-error.ts";

/** Flags that all commands about the emulator share. */
export interface EmulatorOptions {
  readonly dataDir?: string;
}

type Whereabouts = Pick<Context, "env" | "cwd">;

/** The home directory of the emulator that a command is about. */
export function homeOf(context: Whereabouts, { dataDir }: EmulatorOptions): string {
  return dataDir ? resolve(context.cwd, dataDir) : emulatorHome(context.env);
}

/** The emulator that this shell was brought to, else the one that was started with the home directory; undefined where none answers. */
export async function findEmulator(context: Whereabouts, options: EmulatorOptions): Promise<Running | undefined> {
  const url = context.env["CLOUDRUN_OAUTH_EMULATOR"];
  const here = url && options.dataDir === undefined ? await fetchStatus(url) : undefined;
  return here ?? findRunning(homeOf(context, options));
}

/** The same, or EMULATOR_NOT_RUNNING. */
export async function requireEmulator(context: Whereabouts, options: EmulatorOptions): Promise<Running> {
  const running = await findEmulator(context, options);
  if (running) return running;
  throw new CliError("EMULATOR_NOT_RUNNING", "No emulator is running.", { hint: "cloudrun-oauth emulator start --detach" });
}

/** What `askEmulator` would ask, as a line of a plan. Throws EMULATOR_NOT_RUNNING. */
export async function planEmulator(
  context: Whereabouts,
  options: EmulatorOptions,
  method: string,
  path: string,
  body?: object,
): Promise<readonly string[]> {
  const { url } = await requireEmulator(context, options);
  return [`${method} ${url}${path}${body ? ` ${JSON.stringify(body)}` : ""}`];
}

/** Asks the emulator's own API, and gives the JSON of its answer. Throws EMULATOR_NOT_RUNNING, USAGE for what it refuses, NOT_FOUND. */
export async function askEmulator(
  context: Whereabouts & Pick<Context, "send">,
  options: EmulatorOptions,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const { url } = await requireEmulator(context, options);
  const answer = await context.send({
    method,
    url: `${url}${path}`,
    headers: [["X-Cloudrun-Oauth", "emulator"]],
    body: body && JSON.stringify(body),
  });
  const found = (await answer.json()) as { readonly error?: { readonly message: string } };
  if (answer.status === 200) return found;
  throw new CliError(REFUSALS[answer.status] ?? "EMULATOR_FAILED", found.error?.message ?? `The emulator answered ${answer.status}.`);
}

const REFUSALS: Readonly<Record<number, "USAGE" | "NOT_FOUND">> = { 400: "USAGE", 404: "NOT_FOUND" };

/** Starts an emulator in this process with its state in a directory. Throws EMULATOR_FAILED with the reason that the machine has, and ENGINE_MISSING where it has not the engine that is asked for. */
export async function startEmulator(
  context: Context,
  directory: string,
  options: { port: number; iamPropagation?: number; log: (line: string) => void },
): Promise<Emulator> {
  try {
    return await createEmulator({
      directory,
      port: options.port,
      iamPropagation: options.iamPropagation,
      engine: context.settings.get("engine")?.value as EngineChoice | undefined,
      project: byFlag(context, "project"),
      region: byFlag(context, "region"),
      env: context.env,
      log: options.log,
      record: context.settings.get("record")?.value,
    });
  } catch (error) {
    throw explain(error, options.port, directory);
  }
}

/** Runs an emulator for as long as `work` takes, and keeps nothing of it. */
export async function withEmulator<T>(context: Context, work: (emulator: Emulator) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "cloudrun-oauth-"));
  try {
    const emulator = await startEmulator(context, directory, { port: 0, log: (line) => context.terminal.debug(line) });
    try {
      return await work(emulator);
    } finally {
      await emulator.remove();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The emulator's own project and region are said outright or left to it: what a shell or a folder says of the cloud is another matter. */
export function byFlag({ settings }: Pick<Context, "settings">, name: "project" | "region"): string | undefined {
  const setting = settings.get(name);
  return setting?.source === `--${name}` ? setting.value : undefined;
}

/** An error of starting an emulator with its data below a directory: EMULATOR_FAILED or ENGINE_MISSING where the machine has the reason, else the error itself. */
export function explain(error: unknown, port: number, directory: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const fail = (message: string, hint: string) => new CliError("EMULATOR_FAILED", message, { hint, cause: error });
  if (error instanceof NoContainerEngine) return new CliError("ENGINE_MISSING", error.message, { hint: "--engine process", cause: error });
  if (error instanceof JournalError)
    return fail(error.message, "Put the file back as it was, or begin anew without it: cloudrun-oauth emulator reset");
  if (code === "EADDRINUSE") return fail(`Port ${port} of 127.0.0.1 is taken.`, "cloudrun-oauth emulator start --port 0");
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return fail(`The emulator may not write to ${directory}.`, "Name another folder with --data-dir");
  if (code === "EEXIST" || code === "ENOTDIR") return fail(`${directory} is no folder.`, "Name another one with --data-dir");
  if (code === "ENOSPC") return fail(`The disk is full where ${directory} is.`, "Free some space, or name another folder with --data-dir");
  return error;
}
