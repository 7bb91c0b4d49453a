import { lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, writeCacheFile } from "../settings/cache-folder.ts";
import { attempt, isPrivate } from "../settings/private-files.ts";

/** A token as it lies on disk. */
export interface CachedToken {
  readonly token: string;
  /** Whom it was asked for, which need not be the audience that it has. */
  readonly audience: string;
  /** Seconds since the epoch. */
  readonly expires: number;
}

/** Tokens that outlive a process, by keys that are names of files. What cannot be read or written is as good as not there. */
export interface TokenStore {
  read(key: string): CachedToken | undefined;
  write(key: string, kept: CachedToken): void;
  remove(key: string): void;
  /** Removes all of them; gives their number. */
  clear(): number;
}

/** Milliseconds. No ID token is good for longer, so what was written before that is over. */
const MAX_LIFETIME_MS = 3_600_000;
/** Bytes. An ID token has about a thousand. */
const MAX_FILE_SIZE_BYTES = 64 * 1024;

/** The tokens in a folder that only its owner may enter; it is made when the first is written. */
export function openTokenStore(folder: string): TokenStore {
  const pathOf = (key: string): string => join(folder, `${key}.json`);
  return {
    read: (key) =>
      attempt(() => (isPrivate(folder, "folder") && isTokenFile(pathOf(key)) ? parse(readFileSync(pathOf(key), "utf8")) : undefined)),
    write: (key, kept) => writeCacheFile(folder, `${key}.json`, JSON.stringify(kept), MAX_LIFETIME_MS),
    remove: (key) => void attempt(() => rmSync(pathOf(key), { force: true })),
    clear() {
      const kept = (attempt(() => readdirSync(folder)) ?? []).filter((name) => name.endsWith(".json"));
      attempt(() => rmSync(folder, { recursive: true, force: true }));
      return kept.length;
    },
  };
}

/** Where the tokens lie: below CLOUDRUN_OAUTH_CACHE_DIR, or else the user's caches. Undefined for a user without a home. */
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
