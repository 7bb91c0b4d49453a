import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Context } from "../../context/context.ts";

export interface GitFile {
  readonly workTree: string;
  /** `exposed` if the next `git add` takes it; `unknown` if git can't be run. */
  readonly status: "tracked" | "exposed" | "ignored" | "unknown";
}

const GIT_TIMEOUT_MS = 10_000;

/** Asks git about a file, which needn't exist yet. Resolves to undefined if it isn't in a work tree. */
export async function findGitFile(file: string, { env, signal }: Pick<Context, "env" | "signal">): Promise<GitFile | undefined> {
  // A link counts as the file that it leads to: that is where the secret is.
  const folder = await realpath(dirname(file)).catch(() => dirname(file));
  const path = await realpath(file).catch(() => join(folder, basename(file)));
  const workTree = findWorkTree(dirname(path));
  if (workTree === undefined) return undefined;
  // A git hook's variables are about another repository. fsmonitor would run a program that this repository names.
  const ownEnv = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("GIT_")));
  const git = (...args: readonly string[]) =>
    new Promise<number | undefined>((resolve) => {
      const line = ["-C", workTree, "-c", "core.fsmonitor=false", ...args, "--", path];
      execFile("git", line, { env: ownEnv, signal, timeout: GIT_TIMEOUT_MS }, (error) => {
        resolve(error === null ? 0 : typeof error.code === "number" ? error.code : undefined);
      });
    });
  const trackedExit = await git("ls-files", "--error-unmatch");
  if (trackedExit === 0) return { workTree, status: "tracked" };
  const ignoredExit = trackedExit === 1 ? await git("check-ignore", "--quiet") : undefined;
  return { workTree, status: ignoredExit === 0 ? "ignored" : ignoredExit === 1 ? "exposed" : "unknown" };
}

function findWorkTree(folder: string): string | undefined {
  if (existsSync(join(folder, ".git"))) return folder;
  return dirname(folder) === folder ? undefined : findWorkTree(dirname(folder));
}

/** What git does with a file, as `--json` prints it; null outside of a work tree. */
export function describeGitFile(file: GitFile | undefined): { readonly work_tree: string; readonly ignored: boolean | null } | null {
  return file ? { work_tree: file.workTree, ignored: file.status === "unknown" ? null : file.status === "ignored" } : null;
}

export function warnAboutGit(path: string, { workTree, status }: GitFile): string {
  if (status === "ignored")
    return `${path} is inside the Git repository ${workTree}. Git ignores it, but images and archives of the directory can include it.`;
  const line = path.startsWith(`${workTree}/`) ? path.slice(workTree.length) : `/${basename(path)}`;
  const risk = status === "unknown" ? "Git might not ignore it" : "Git doesn't ignore it";
  return `${path} is inside the Git repository ${workTree}, and ${risk}. Move it, or run: echo '${line}' >> '${workTree}/.gitignore'`;
}
