import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Folders of what an application depends on: not its own. */
const OTHERS = /(^|\/)(node_modules|vendor|env|venv|\.venv|__pycache__)\//;

/** An application's folder, as buildpacks look at it. */
export interface Source {
  /** Whether the folder itself has a file of the name. */
  has(name: string): boolean;
  /** Whether a file of the application's own, anywhere in the folder, fits. */
  hasLike(pattern: RegExp): boolean;
  read(name: string): string;
}

export function openSource(folder: string): Source {
  // A symbolic link is not followed: it may lead out of the source.
  const files = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !OTHERS.test(path));
  return {
    has: (name) => files.includes(name),
    hasLike: (pattern) => files.some((path) => pattern.test(path)),
    read: (name) => readFileSync(join(folder, name), "utf8"),
  };
}
