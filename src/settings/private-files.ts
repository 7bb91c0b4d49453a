import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { getuid, platform } from "node:process";

/** A file that only the user can read, and that appears whole or not at all. */
export interface PrivateFile {
  /** Writes the file. Throws as the file system does. */
  write(content: string | Buffer, options?: WriteOptions): void;
  /** Removes what was begun. Does nothing after `write`. */
  discard(): void;
}

interface WriteOptions {
  /** True by default: a file at the path is replaced. Without it, `write` throws EEXIST. */
  readonly overwrite?: boolean;
  /** True by default: the content is on disk on return. */
  readonly sync?: boolean;
}

/** What is older was left by a process that is gone. */
const MAX_UNFINISHED_AGE_MS = 60_000;

/**
 * True if the path is such a folder or file, belongs to the user, and no one else can read or replace it. Throws if nothing is there.
 * Windows has no modes: a user's folder is the user's.
 */
export function isPrivate(path: string, kind: "folder" | "file"): boolean {
  const stats = lstatSync(path);
  if (!(kind === "folder" ? stats.isDirectory() : stats.isFile())) return false;
  return platform === "win32" || (stats.uid === getuid?.() && (stats.mode & 0o077) === 0);
}

/** Creates a folder that only the user can open, or closes it to others. Returns false if that isn't possible. */
export function createPrivateFolder(folder: string): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!isPrivate(folder, "folder") && lstatSync(folder).isDirectory()) chmodSync(folder, 0o700);
  return isPrivate(folder, "folder");
}

/** Begins a private file beside its path, so that the caller knows that it can be written. Throws as the file system does. */
export function openPrivateFile(path: string): PrivateFile {
  removeLeftovers(path);
  const unfinished = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.new`);
  let descriptor: number | undefined = openSync(unfinished, "wx", 0o600);
  const close = () => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  const discard = () => {
    close();
    rmSync(unfinished, { force: true });
  };
  return {
    discard,
    write(content, { overwrite = true, sync = true } = {}) {
      try {
        writeFileSync(descriptor ?? unfinished, content);
        if (sync && descriptor !== undefined) fsyncSync(descriptor);
        close();
        if (overwrite) renameSync(unfinished, path);
        else renameUnlessTaken(unfinished, path);
      } finally {
        discard();
      }
    },
  };
}

/** Writes a private file into an existing folder. Throws as the file system does. */
export function writePrivateFile(path: string, content: string | Buffer, options?: WriteOptions): void {
  openPrivateFile(path).write(content, options);
}

/** A link, unlike renaming, fails if the path is taken. Some file systems don't have links. */
function renameUnlessTaken(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code)) throw error;
    if (lstatSync(to, { throwIfNoEntry: false })) throw Object.assign(new Error(`${to} exists`), { code: "EEXIST" });
    renameSync(from, to);
  }
}

/** Removes the unfinished files of processes that were killed while they wrote to this path. */
function removeLeftovers(path: string): void {
  const prefix = `.${basename(path)}.`;
  for (const name of attempt(() => readdirSync(dirname(path))) ?? []) {
    if (name.startsWith(prefix) && /^[0-9a-f]{12}\.new$/.test(name.slice(prefix.length)))
      removeIfOlder(join(dirname(path), name), MAX_UNFINISHED_AGE_MS);
  }
}

/** Removes a file that was last changed longer ago than that, if possible. */
export function removeIfOlder(path: string, ageMs: number): void {
  if ((attempt(() => lstatSync(path).mtimeMs) ?? Infinity) < Date.now() - ageMs) attempt(() => rmSync(path, { force: true }));
}

/** Returns the result of `act`, or undefined if it throws: for work that isn't worth an error. */
export function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
