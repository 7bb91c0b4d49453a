import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { platform } from "node:process";
import { attempt, createPrivateFolder, removeIfOlder, writePrivateFile } from "./private-files.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Our folder in the user's cache folder, or undefined for a user without a home. A relative path in XDG_CACHE_HOME is ignored:
 * https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function cacheFolder(env: Environment): string | undefined {
  if (env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "cloudrun-oauth", "Cache");
  const home = env.HOME || attempt(homedir);
  const xdgCacheHome = env.XDG_CACHE_HOME ?? "";
  const caches = isAbsolute(xdgCacheHome) ? xdgCacheHome : home && join(home, platform === "darwin" ? "Library/Caches" : ".cache");
  return caches ? join(caches, "cloudrun-oauth") : undefined;
}

/** Writes a file into a private folder, and removes what has been there for longer than `maxAgeMs`. A failure is ignored: a cache can be without it. */
export function writeCacheFile(folder: string, name: string, content: string, maxAgeMs: number): void {
  attempt(() => {
    if (!createPrivateFolder(folder)) return;
    for (const entry of readdirSync(folder)) removeIfOlder(join(folder, entry), maxAgeMs);
    writePrivateFile(join(folder, name), content, { sync: false });
  });
}
