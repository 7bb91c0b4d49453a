import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Context } from "../../context/context.ts";

/** Bytes. A key file has about 2400. */
const LARGEST = 64 * 1024;
/** Files of a folder that are looked into. */
const MOST_FILES = 1000;

interface LocalKey {
  readonly key_id: string;
  readonly account: string;
}

/** Which key of a service account is in which file: of those that are set, and of the JSON files in this folder. Nothing of a key itself is kept. */
export async function findLocalKeys({
  cwd,
  env,
  settings,
}: Pick<Context, "cwd" | "env" | "settings">): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const names = await readdir(cwd).catch(() => []);
  const credentials = settings.get("credentials");
  const paths = [
    ...(credentials && !credentials.isInline ? [credentials.value] : []),
    ...[env.CREDS, env.GOOGLE_APPLICATION_CREDENTIALS].flatMap((path) => (path ? [resolve(cwd, path)] : [])),
    ...names
      .filter((name) => name.endsWith(".json"))
      .slice(0, MOST_FILES)
      .map((name) => join(cwd, name)),
  ];
  for (const path of new Set(paths)) {
    const key = await readLocalKey(path);
    if (key && !found.has(key.key_id)) found.set(key.key_id, path);
  }
  return found;
}

/** What of a key file is public; undefined for any other file. */
export async function readLocalKey(path: string): Promise<LocalKey | undefined> {
  try {
    const { size } = await stat(path).then((stats) => (stats.isFile() ? stats : { size: LARGEST + 1 }));
    if (size > LARGEST) return undefined;
    const { type, private_key_id: key_id, client_email: account } = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    return type === "service_account" && typeof key_id === "string" && typeof account === "string" ? { key_id, account } : undefined;
  } catch {
    // It is no JSON, or may not be read: it is no key file of ours then.
    return undefined;
  }
}
