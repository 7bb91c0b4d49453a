import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Environment } from "../../context/context.ts";

/** What git makes of a file: whether it follows it, and whether it may come to follow it. */
export type InGit = "tracked" | "exposed" | "ignored" | "outside" | "unknown";

/** Milliseconds. */
const TIMEOUT = 5000;

/** Asks git about a file; `unknown` where it lies in a work tree and git cannot be asked. */
export async function askGit(file: string, env: Environment, signal: AbortSignal): Promise<InGit> {
  // A link counts where it leads: that is where the secret lies.
  const path = realpathSync(file);
  const folder = dirname(path);
  if (!isInWorkTree(folder)) return "outside";
  const git = (...args: readonly string[]) => run(["-C", folder, ...args, "--", basename(path)], env, signal);
  const tracked = await git("ls-files", "--error-unmatch");
  if (tracked === 0) return "tracked";
  const ignored = tracked === 1 ? await git("check-ignore", "--quiet") : undefined;
  if (ignored === 0) return "ignored";
  return ignored === 1 ? "exposed" : "unknown";
}

function isInWorkTree(folder: string): boolean {
  return existsSync(join(folder, ".git")) || (dirname(folder) !== folder && isInWorkTree(dirname(folder)));
}

/** The exit code; undefined where git did not run. */
function run(args: readonly string[], env: Environment, signal: AbortSignal): Promise<number | undefined> {
  return new Promise((resolve) => {
    const child = execFile("git", args, { env: env as NodeJS.ProcessEnv, signal, timeout: TIMEOUT }, (error) => {
      const { code } = (error ?? { code: 0 }) as { readonly code?: number | string | null };
      resolve(typeof code === "number" ? code : undefined);
    });
    child.stdin?.end();
  });
}
