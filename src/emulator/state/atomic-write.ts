import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface WriteOptions {
  /** Only the owner can read the file unless another mode is set. */
  readonly mode?: number;
  /** True for a file that every start writes again: it needn't survive a power failure, and syncing it to the disk takes a while. */
  readonly isReproducible?: boolean;
}

/** Writes a file so that a crash leaves either all of the new content or the file as it was. */
export function writeFileAtomically(
  path: string,
  content: string | Buffer,
  { mode = 0o600, isReproducible = false }: WriteOptions = {},
): void {
  const descriptor = openSync(`${path}.new`, "w", mode);
  try {
    writeFileSync(descriptor, content);
    if (!isReproducible) fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(`${path}.new`, path);
}

/** Removes the files that a crash left half-written in a folder. Call it before writing to the folder. */
export function removeUnfinishedFiles(folder: string): void {
  for (const name of readdirSync(folder)) if (name.endsWith(".new")) rmSync(join(folder, name), { force: true });
}
