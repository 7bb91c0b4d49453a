import { execa } from "execa";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { signIn } from "../../src/cloud/sign-in.ts";
import type { Running } from "../../src/emulator/index.ts";

type Given = Running["environment"];
type Environment = Readonly<Record<string, string | undefined>>;

/** A folder of the file's own, and the environment that `emulator exec` gives a program which has nothing else. */
export function openWorkplace(environment: Given): { readonly folder: string; readonly env: Environment } {
  const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-workplace-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const given = Object.entries(environment).flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
  return { folder, env: { PATH: process.env["PATH"], HOME: folder, ...Object.fromEntries(given) } };
}

/** The real gcloud, signed in as the operator of the emulator that gives this environment. */
export function openGcloud(environment: Given) {
  const { folder, env } = openWorkplace(environment);
  let signedIn: Promise<void> | undefined;
  return {
    folder,
    env,
    /** Runs gcloud as a user types it; gives both of its outputs. */
    async gcloud(line: string, extra: Environment = {}): Promise<{ stdout: string; stderr: string }> {
      await (signedIn ??= signIn(env));
      const { stdout, stderr } = await execa("gcloud", line.split(" "), {
        env: { ...env, ...extra },
        extendEnv: false,
        stdin: "ignore",
        cwd: folder,
      });
      return { stdout, stderr };
    },
  };
}
