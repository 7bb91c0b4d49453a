import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** A working copy, read from its files without running git. */
export interface WorkingCopy {
  /** The folder that holds `.git`. */
  readonly root: string;
  /** The address of `origin`, without the user and the password in its URL. */
  readonly remote?: { readonly host: string; readonly path: string };
  /** The default branch of `origin`. If that isn't known, the current branch if it has a usual name of a default branch. */
  readonly branch?: string;
}

/** The working copy that contains a folder, or undefined. */
export function findWorkingCopy(folder: string): WorkingCopy | undefined {
  const git = gitDirectory(join(folder, ".git"));
  if (git === undefined) return dirname(folder) === folder ? undefined : findWorkingCopy(dirname(folder));
  // A linked work tree has its own HEAD, and shares the rest.
  const common = resolve(git, read(join(git, "commondir"))?.trim() ?? ".");
  const remote = readRemote(read(join(common, "config")) ?? "");
  const [, main] = /^ref: refs\/remotes\/origin\/(\S+)/.exec(read(join(common, "refs/remotes/origin/HEAD")) ?? "") ?? [];
  const [, current] = /^ref: refs\/heads\/(main|master|trunk)\s*$/.exec(read(join(git, "HEAD")) ?? "") ?? [];
  const branch = main ?? current;
  return { root: folder, ...(remote && { remote }), ...(branch && { branch }) };
}

function gitDirectory(path: string): string | undefined {
  try {
    if (statSync(path).isDirectory()) return path;
  } catch {
    return undefined;
  }
  const [, linked] = /^gitdir: (.+?)\s*$/.exec(read(path) ?? "") ?? [];
  return linked === undefined ? undefined : resolve(dirname(path), linked);
}

/** https://git-scm.com/docs/git-fetch#_git_urls: `https://host/path`, `ssh://git@host/path`, `git@host:path`. */
function readRemote(config: string): WorkingCopy["remote"] {
  const [, section = ""] = /^\[remote "origin"\]$([\s\S]*?)(?=^\[|$(?![\s\S]))/m.exec(config) ?? [];
  const [, url = ""] = /^\s*url\s*=\s*(\S+)\s*$/m.exec(section) ?? [];
  const [, host, path] = /^(?:[a-z+]+:\/\/)?(?:[^@/]*@)?([\w.-]+)(?::\d+(?=\/))?[:/]\/*(.+?)(?:\.git)?\/*$/.exec(url) ?? [];
  return host === undefined || path === undefined || !host.includes(".") ? undefined : { host, path };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
