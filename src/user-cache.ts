import { chmodSync, lstatSync, mkdirSync } from "node:fs";
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
  const home = env.HOME || homeOfUser();
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

function homeOfUser(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}
