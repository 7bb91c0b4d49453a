import { lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, writeCacheFile } from "../settings/cache-folder.ts";
import { attempt, isPrivate } from "../settings/private-files.ts";

/** A token on disk. */
export interface CachedToken {
  readonly token: string;
  /** The requested audience, which can differ from the token's own. */
  readonly audience: string;
  /** Seconds since the epoch. */
  readonly expires: number;
}

/** Tokens that outlive a process, by file name. A file that can't be read counts as missing; failed writes are ignored. */
export interface TokenStore {
  read(key: string): CachedToken | undefined;
  write(key: string, token: CachedToken): void;
  remove(key: string): void;
  /** Removes all tokens and returns their number. */
  clear(): number;
}

/** No ID token is valid for longer, so older files are deleted. */
const MAX_LIFETIME_MS = 3_600_000;
/** An ID token has about 1000 bytes. */
const MAX_FILE_SIZE_BYTES = 64 * 1024;

/** Opens the token cache. Its folder has mode 0700 and is created with the first token; files have mode 0600 (`writePrivateFile`). */
export function openTokenStore(folder: string): TokenStore {
  const pathOf = (key: string): string => join(folder, `${key}.json`);
  return {
    read: (key) =>
      attempt(() => (isPrivate(folder, "folder") && isTokenFile(pathOf(key)) ? parse(readFileSync(pathOf(key), "utf8")) : undefined)),
    write: (key, token) => writeCacheFile(folder, `${key}.json`, JSON.stringify(token), MAX_LIFETIME_MS),
    remove: (key) => void attempt(() => rmSync(pathOf(key), { force: true })),
    clear() {
      const files = (attempt(() => readdirSync(folder)) ?? []).filter((name) => name.endsWith(".json"));
      attempt(() => rmSync(folder, { recursive: true, force: true }));
      return files.length;
    },
  };
}

/** The folder of the tokens, in CLOUDRUN_OAUTH_CACHE_DIR or else the user's cache folder. Undefined if the user has no home folder. */
export function tokenCacheFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const folder = env.CLOUDRUN_OAUTH_CACHE_DIR || cacheFolder(env);
  return folder === undefined ? undefined : join(folder, "tokens");
}

function isTokenFile(path: string): boolean {
  return isPrivate(path, "file") && lstatSync(path).size <= MAX_FILE_SIZE_BYTES;
}

function parse(text: string): CachedToken | undefined {
  const { token, audience, expires } = JSON.parse(text) as Partial<Record<keyof CachedToken, unknown>>;
  return typeof token === "string" && typeof audience === "string" && typeof expires === "number"
    ? { token, audience, expires }
    : undefined;
}
