import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { EmulatorStatus } from "../../src/emulator/index.ts";

export type Given = EmulatorStatus["environment"];
export type Environment = Readonly<Record<string, string | undefined>>;

/** A folder of the file's own, and the environment that `emulator exec` gives a program which has nothing else. */
export function openWorkplace(environment: Given): { readonly folder: string; readonly env: Environment } {
  const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-workplace-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const given = Object.entries(environment).flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
  return { folder, env: { PATH: process.env["PATH"], HOME: folder, ...Object.fromEntries(given) } };
}
