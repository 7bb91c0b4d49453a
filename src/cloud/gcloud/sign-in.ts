import { execa } from "execa";
import { existsSync, renameSync, rmSync } from "node:fs";
import type { CloudContext } from "../cloud-context.ts";
import { CliError } from "../../errors/cli-error.ts";

/** Signs gcloud in to the emulator as its operator, once, in the emulator's configuration directory. Throws GCLOUD_FAILED. */
export async function signIn(env: CloudContext["env"]): Promise<void> {
  const directory = env["CLOUDSDK_CONFIG"];
  const keyFile = env["GOOGLE_APPLICATION_CREDENTIALS"];
  if (!directory || !keyFile || existsSync(directory)) return;

  // Created under another name and then renamed, so that a process that runs at the same time sees all of it or nothing.
  const fresh = `${directory}.${crypto.randomUUID()}`;
  try {
    const result = await execa("gcloud", ["auth", "activate-service-account", "--quiet", "--key-file", keyFile], {
      env: { ...env, CLOUDSDK_CONFIG: fresh },
      extendEnv: false,
      reject: false,
      stdin: "ignore",
    });
    if (result.exitCode === undefined && result.code === "ENOENT") return;
    if (result.failed)
      throw new CliError("GCLOUD_FAILED", `gcloud couldn't sign in to the emulator: ${result.stderr.trim() || result.shortMessage}`);
    try {
      renameSync(fresh, directory);
    } catch (error) {
      if (!existsSync(directory)) throw error;
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
