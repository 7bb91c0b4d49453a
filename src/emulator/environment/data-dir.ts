import { resolve } from "node:path";
import envPaths from "env-paths";

interface ProcessLocation {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** An emulator's home directory: `dataDir` if given, otherwise `CLOUDRUN_OAUTH_DATA_DIR` or the platform's directory for user data. */
export function emulatorHome({ env, cwd }: ProcessLocation, dataDir?: string): string {
  if (dataDir) return resolve(cwd, dataDir);
  return env["CLOUDRUN_OAUTH_DATA_DIR"] || envPaths("cloudrun-oauth", { suffix: "emulator" }).data;
}
