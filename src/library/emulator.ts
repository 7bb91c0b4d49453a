import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { cwd, env } from "node:process";
import { createEmulator } from "../emulator/index.ts";
import type { Emulator, StartOptions } from "./emulator-interface.ts";
import { openTestEmulator } from "./test-emulator.ts";

export type { DeployOptions, Emulator, Fault, FetchOptions, Service, StartOptions } from "./emulator-interface.ts";

/** Starts an emulator on a free port of 127.0.0.1; resolves when it accepts requests. */
export async function startEmulator({ directory, ...options }: StartOptions = {}): Promise<Emulator> {
  const dataDir = directory === undefined ? mkdtempSync(join(tmpdir(), "cloudrun-oauth-")) : resolve(directory);
  const emulator = await createEmulator({ ...options, directory: dataDir, port: 0, env });
  await emulator.createCallerKey();
  const testEmulator = await openTestEmulator(emulator.status(), { env, cwd: cwd() });
  return { ...testEmulator, close: directory === undefined ? emulator.remove : emulator.close };
}
