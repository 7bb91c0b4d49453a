import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEmulator, JournalError, NoContainerEngine, type Emulator, type EngineChoice } from "../emulator/index.ts";
import { CliError } from "../errors/cli-error.ts";
import { nextStep, type NextStep } from "../errors/next-step.ts";
import type { Context } from "./context.ts";

/**
 * Starts an emulator in this process, with its state in a directory. Throws EMULATOR_FAILED with the reason if the machine prevents it, and
 * ENGINE_MISSING if the requested engine isn't available.
 */
export async function startEmulator(
  context: Context,
  directory: string,
  options: { readonly port: number; readonly iamPropagationMs?: number; readonly log: (line: string) => void },
): Promise<Emulator> {
  try {
    return await createEmulator({
      directory,
      port: options.port,
      iamPropagation: options.iamPropagationMs,
      engine: context.settings.get("engine")?.value as EngineChoice | undefined,
      // Only the flags count: what a shell or a folder sets applies to the cloud.
      project: context.settings.flag("project"),
      region: context.settings.flag("region"),
      env: context.env,
      log: options.log,
    });
  } catch (error) {
    throw explainStartError(error, options.port, directory);
  }
}

/** Runs an emulator for the duration of `work`, then deletes its data. `onStart` shows the start. */
export async function withTemporaryEmulator<T>(
  context: Context,
  work: (emulator: Emulator) => Promise<T>,
  onStart: (start: () => Promise<Emulator>) => Promise<Emulator> = (start) => start(),
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "cloudrun-oauth-"));
  try {
    const log = (line: string) => context.terminal.debug(line);
    const emulator = await onStart(() => startEmulator(context, directory, { port: 0, log }));
    try {
      await emulator.createCallerKey();
      return await work(emulator);
    } finally {
      await emulator.remove();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Turns an error of a start with data in a directory into EMULATOR_FAILED or ENGINE_MISSING if the machine caused it; otherwise returns the error itself. */
export function explainStartError(error: unknown, port: number, directory: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  const fail = (message: string, hint: string, ...next: readonly NextStep[]) =>
    new CliError("EMULATOR_FAILED", message, { hint, next, cause: error });
  const otherDirectory = "Use another directory with --data-dir.";
  if (error instanceof NoContainerEngine)
    return new CliError("ENGINE_MISSING", error.message, {
      hint: "To run services as local processes, pass --engine process.",
      cause: error,
    });
  if (error instanceof JournalError)
    return fail(error.message, "Restore the file, or start over.", nextStep("To delete all emulator data", "emulator", "reset"));
  if (code === "EADDRINUSE")
    return fail(
      `Port ${port} is already in use.`,
      "Stop the other process, or use another port.",
      nextStep("To use a free port", "emulator", "start", "--port", "0"),
    );
  if (code === "EACCES" && syscall === "listen") return fail(`Permission denied for port ${port}.`, "Use a port above 1023.");
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") return fail(`Can't write to ${directory}.`, otherDirectory);
  if (code === "EEXIST" || code === "ENOTDIR") return fail(`${directory} isn't a directory.`, otherDirectory);
  if (code === "ENOSPC")
    return fail(`The disk that contains ${directory} is full.`, `Free some space, or use another directory with --data-dir.`);
  return error;
}
