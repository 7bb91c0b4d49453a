import { join } from "node:path";

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
