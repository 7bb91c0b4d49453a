import envPaths from "env-paths";

/** The folder that an emulator lives in unless another is named: `CLOUDRUN_OAUTH_DATA_DIR`, else the platform's own place for a user's data. */
export function emulatorHome(env: Readonly<Record<string, string | undefined>>): string {
  return env["CLOUDRUN_OAUTH_DATA_DIR"] || envPaths("cloudrun-oauth", { suffix: "emulator" }).data;
}
