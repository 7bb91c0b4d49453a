import { execFile } from "node:child_process";
import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Environment } from "../../context/context.ts";

export interface WorkTree {
  readonly work_tree: string;
  /** Null where git is not there to say it. */
  readonly ignored: boolean | null;
}

/** The git work tree that a file lies in, or would, and whether git leaves the file out of it; null where it lies in none. */
export async function findWorkTree(path: string, env: Environment): Promise<WorkTree | null> {
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  for (let parent = folder; ; parent = dirname(parent)) {
    if (await lstat(join(parent, ".git")).catch(() => undefined))
      return { work_tree: parent, ignored: await isIgnored(parent, join(folder, basename(path)), env) };
    if (parent === dirname(parent)) return null;
  }
}

/** The sentence that a person is told, with what to do. */
export function warningAbout(path: string, { work_tree, ignored }: WorkTree): string {
  if (ignored)
    return `${path} lies in the git work tree ${work_tree}. git ignores it, but an image or an archive of the folder may take it along.`;
  const line = path.startsWith(`${work_tree}/`) ? path.slice(work_tree.length) : `/${basename(path)}`;
  const fault = ignored === null ? "whether git ignores it cannot be told" : "git does not ignore it: the next commit may publish it";
  return `${path} lies in the git work tree ${work_tree}, and ${fault}. Keep it elsewhere, or: echo '${line}' >> '${work_tree}/.gitignore'`;
}

function isIgnored(root: string, path: string, env: Environment): Promise<boolean | null> {
  // What a hook of git says of another repository is not asked for, and nothing of this one's is run.
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("GIT_")));
  const args = ["-C", root, "-c", "core.fsmonitor=false", "check-ignore", "-q", "--", path];
  return new Promise((resolve) => {
    execFile("git", args, { env: own, timeout: 10_000 }, (error) => {
      resolve(error === null ? true : error.code === 1 ? false : null);
    });
  });
}
