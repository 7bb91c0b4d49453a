import { emulatorHome, fetchEmulatorStatus, findRunningEmulator, type EmulatorStatus } from "../emulator/index.ts";
import { CliError } from "../errors/cli-error.ts";
import { nextStep } from "../errors/next-step.ts";
import type { Response } from "../http/request.ts";
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

export const START_STEP = nextStep("To start one", "emulator", "start", "--detach");

/** The running emulator, as `findEmulator` finds it. Throws EMULATOR_NOT_RUNNING. */
export async function requireEmulator(context: ProcessLocation, flags: EmulatorFlags): Promise<EmulatorStatus> {
  const running = await findEmulator(context, flags);
  if (running) return running;
  throw new CliError("EMULATOR_NOT_RUNNING", "No emulator is running.", { next: [START_STEP] });
}

/** A request to the admin API of an emulator. */
export interface AdminRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: object;
}

/** A request as a line of a plan. */
export function planAdminRequest({ url }: Pick<EmulatorStatus, "url">, { method, path, body }: AdminRequest): string {
  return `${method} ${url}${path}${body ? ` ${JSON.stringify(body)}` : ""}`;
}

/** Sends a request to the emulator's admin API, and returns the response. Throws USAGE, NOT_FOUND, or EMULATOR_FAILED if the emulator rejects it. */
export async function sendToEmulator(
  { send }: Pick<Context, "send">,
  { url }: Pick<EmulatorStatus, "url">,
  { method, path, body }: AdminRequest,
): Promise<Response> {
  const headers = [["X-Cloudrun-Oauth", "emulator"]] as const;
  const response = await send({ method, url: `${url}${path}`, headers, body: body && JSON.stringify(body) });
  if (response.status === 200) return response;
  const { error } = (await response.json()) as { readonly error?: { readonly message: string } };
  const code = ERROR_CODES[response.status] ?? "EMULATOR_FAILED";
  throw new CliError(code, error?.message ?? `The emulator returned status ${response.status}.`);
}

/** Sends a request as `sendToEmulator` does, and returns the response's JSON. */
export async function requestEmulator<T>(...request: Parameters<typeof sendToEmulator>): Promise<T> {
  return (await (await sendToEmulator(...request)).json()) as T;
}

const ERROR_CODES: Readonly<Record<number, "USAGE" | "NOT_FOUND">> = { 400: "USAGE", 404: "NOT_FOUND" };
