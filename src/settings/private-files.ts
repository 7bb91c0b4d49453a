import { randomBytes } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { getuid, platform } from "node:process";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Our folder below the user's caches as the system has them. Undefined for a user without a home. A relative path in XDG_CACHE_HOME is none:
 * https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function cacheFolder(env: Environment): string | undefined {
  if (env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "cloudrun-oauth", "Cache");
  const home = env.HOME || attempt(homedir);
  const named = env.XDG_CACHE_HOME ?? "";
  const caches = isAbsolute(named) ? named : home && join(home, platform === "darwin" ? "Library/Caches" : ".cache");
  return caches ? join(caches, "cloudrun-oauth") : undefined;
}

/** Whether a folder or file is what it has to be, the user's own, and nobody else may read or replace it; throws where there is none. Windows has no modes: there the user's folder is the user's. */
export function isPrivate(path: string, kind: "folder" | "file"): boolean {
  const stats = lstatSync(path);
  if (!(kind === "folder" ? stats.isDirectory() : stats.isFile())) return false;
  return platform === "win32" || (stats.uid === getuid?.() && (stats.mode & 0o077) === 0);
}

/** Makes a folder that only the user may enter, or has it be so; false where it cannot be. */
export function makePrivate(folder: string): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!isPrivate(folder, "folder") && lstatSync(folder).isDirectory()) chmodSync(folder, 0o700);
  return isPrivate(folder, "folder");
}

/**
 * Writes a file into a folder that only the user may enter, and removes what has lain there for longer than `mostAge` milliseconds, half-written
 * files among it. Nothing where the folder cannot be had so; throws as the file system does.
 */
export function writePrivate(folder: string, name: string, content: string | Buffer, mostAge: number): void {
  if (!makePrivate(folder)) return;
  for (const each of readdirSync(folder)) {
    const path = join(folder, each);
    if ((attempt(() => lstatSync(path).mtimeMs) ?? 0) < Date.now() - mostAge) attempt(() => rmSync(path, { force: true }));
  }
  // Under a name of its own, so that of fifty processes that write at once each writes a whole file.
  const unfinished = join(folder, `${name}.${randomBytes(6).toString("hex")}.new`);
  try {
    writeFileSync(unfinished, content, { mode: 0o600, flag: "wx" });
    renameSync(unfinished, join(folder, name));
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** What `act` gives; undefined where it fails: nothing in a cache is worth an error. */
export function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
