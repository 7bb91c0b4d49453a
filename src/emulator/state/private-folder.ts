import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A folder in the data directory that only the user can open (0700); created if missing. */
export function privateFolder({ directory }: { readonly directory: string }, ...names: readonly string[]): string {
  const folder = join(directory, ...names);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Removes what is in a folder, except for the entries to keep. */
export function removeEntries(folder: string, isKept: (name: string) => boolean = () => false): void {
  for (const name of readdirSync(folder)) if (!isKept(name)) rmSync(join(folder, name), { recursive: true, force: true });
}
