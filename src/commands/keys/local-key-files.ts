import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Context } from "../../context/context.ts";

/** A key file has about 2400 bytes. */
const MAX_FILE_BYTES = 64 * 1024;
const MAX_FILES = 1000;

interface LocalKey {
  readonly key_id: string;
  readonly account: string;
}

/** The configured key files and the JSON files in this folder, by their key IDs. Returns nothing of the private keys. */
export async function findLocalKeys({
  cwd,
  env,
  settings,
}: Pick<Context, "cwd" | "env" | "settings">): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const names = await readdir(cwd).catch(() => []);
  const credentials = settings.get("credentials");
  const paths = [
    ...(credentials && !credentials.isInline ? [credentials.value] : []),
    ...[env.CREDS, env.GOOGLE_APPLICATION_CREDENTIALS].flatMap((path) => (path ? [resolve(cwd, path)] : [])),
    ...names
      .filter((name) => name.endsWith(".json"))
      .slice(0, MAX_FILES)
      .map((name) => join(cwd, name)),
  ];
  for (const path of new Set(paths)) {
    const key = await readLocalKey(path);
    if (key && !files.has(key.key_id)) files.set(key.key_id, path);
  }
  return files;
}

/** The public parts of a key file; undefined for any other file. */
export async function readLocalKey(path: string): Promise<LocalKey | undefined> {
  try {
    const { size } = await stat(path).then((stats) => (stats.isFile() ? stats : { size: MAX_FILE_BYTES + 1 }));
    if (size > MAX_FILE_BYTES) return undefined;
    const { type, private_key_id: key_id, client_email: account } = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    return type === "service_account" && typeof key_id === "string" && typeof account === "string" ? { key_id, account } : undefined;
  } catch {
    // A file that isn't JSON or can't be read isn't one of our key files.
    return undefined;
  }
}
