import { emulatorHome, fetchEmulatorStatus, findRunningEmulator, type EmulatorStatus } from "../emulator/index.ts";
import { CliError } from "../errors/cli-error.ts";
import type { Context } from "./context.ts";

/** Flags that all emulator commands share. */
export interface EmulatorFlags {
  readonly dataDir?: string;
}

type ProcessLocation = Pick<Context, "env" | "cwd">;

/** The emulator that this shell points to, otherwise the one that was started with the home directory; undefined if none is running. */
export async function findEmulator(context: ProcessLocation, flags: EmulatorFlags): Promise<EmulatorStatus | undefined> {
  const url = context.env["CLOUDRUN_OAUTH_EMULATOR"];
  const fromShell = url && flags.dataDir === undefined ? await fetchEmulatorStatus(url) : undefined;
  return fromShell ?? findRunningEmulator(emulatorHome(context, flags.dataDir));
}

/** The running emulator, as `findEmulator` finds it. Throws EMULATOR_NOT_RUNNING. */
export async function requireEmulator(context: ProcessLocation, flags: EmulatorFlags): Promise<EmulatorStatus> {
  const running = await findEmulator(context, flags);
  if (running) return running;
  throw new CliError("EMULATOR_NOT_RUNNING", "No emulator is running.", { hint: "cloudrun-oauth emulator start --detach" });
}

/** The request that `requestEmulator` would send, as a line of a plan. Throws EMULATOR_NOT_RUNNING. */
export async function planEmulatorRequest(
  context: ProcessLocation,
  flags: EmulatorFlags,
  method: string,
  path: string,
  body?: object,
): Promise<readonly string[]> {
  const { url } = await requireEmulator(context, flags);
  return [`${method} ${url}${path}${body ? ` ${JSON.stringify(body)}` : ""}`];
}

/** Sends a request to the emulator's admin API and returns the response's JSON. Throws EMULATOR_NOT_RUNNING, USAGE if the emulator rejects it, or NOT_FOUND. */
export async function requestEmulator(
  context: ProcessLocation & Pick<Context, "send">,
  flags: EmulatorFlags,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const { url } = await requireEmulator(context, flags);
  const response = await context.send({
    method,
    url: `${url}${path}`,
    headers: [["X-Cloudrun-Oauth", "emulator"]],
    body: body && JSON.stringify(body),
  });
  const document = (await response.json()) as { readonly error?: { readonly message: string } };
  if (response.status === 200) return document;
  throw new CliError(
    ERROR_CODES[response.status] ?? "EMULATOR_FAILED",
    document.error?.message ?? `The emulator answered ${response.status}.`,
  );
}

const ERROR_CODES: Readonly<Record<number, "USAGE" | "NOT_FOUND">> = { 400: "USAGE", 404: "NOT_FOUND" };
