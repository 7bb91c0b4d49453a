import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const DEPENDENCY_FOLDERS = /(^|\/)(node_modules|vendor|env|venv|\.venv|__pycache__)\//;

export interface SourceFiles {
  /** Whether the folder itself contains a file with this name. */
  has(name: string): boolean;
  /** Whether the path of any of the application's own files matches. */
  hasMatch(pattern: RegExp): boolean;
  read(name: string): string;
}

export function openSourceFiles(folder: string): SourceFiles {
  // Symbolic links aren't followed: they can lead out of the source.
  const files = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !DEPENDENCY_FOLDERS.test(path));
  return {
    has: (name) => files.includes(name),
    hasMatch: (pattern) => files.some((path) => pattern.test(path)),
    read: (name) => readFileSync(join(folder, name), "utf8"),
  };
}
