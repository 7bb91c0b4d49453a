import { join, resolve } from "node:path";
import envPaths from "env-paths";

/** The account whose key file `CREDS` names. */
export function callerEmail(project: string): string {
  return `caller@${project}.iam.gserviceaccount.com`;
}

export function emulatorFiles(directory: string, project: string) {
  return {
    /** The public certificate authorities and the emulator's own, PEM: for clients that use such a file instead of built-in authorities. */
    authorities: join(directory, "ca-bundle.pem"),
    /** The emulator's own certificate authority, PEM: for Node, which adds such a file to its own authorities. */
    added: join(directory, "ca-added.pem"),
    /** Key file of the operator's account, which gcloud is signed in as. */
    operator: join(directory, "keys", `${project}-operator.json`),
    /** Key file of the caller's account, which invokes services. */
    caller: join(directory, "keys", `${project}-caller.json`),
    /** gcloud's configuration directory. */
    gcloud: join(directory, "gcloud", project),
    /** The command line's cache of tokens from this emulator, kept out of the user's own cache. */
    cache: join(directory, "cache"),
  };
}

/** An emulator's home directory: `dataDir` if given, otherwise `CLOUDRUN_OAUTH_DATA_DIR` or the platform's directory for user data. */
export function emulatorHome(
  { env, cwd }: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string },
  dataDir?: string,
): string {
  if (dataDir) return resolve(cwd, dataDir);
  return env["CLOUDRUN_OAUTH_DATA_DIR"] || envPaths("cloudrun-oauth", { suffix: "emulator" }).data;
}
