import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes a file, which only its owner may read unless another mode is said, that is after a crash either whole or as it was before. What every
 * start writes anew need not outlive a power cut (`isRemade`): it takes a while until a disk has it.
 */
export function writeWhole(path: string, content: string | Buffer, { mode = 0o600, isRemade = false } = {}): void {
  const descriptor = openSync(`${path}.new`, "w", mode);
  try {
    writeFileSync(descriptor, content);
    if (!isRemade) fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(`${path}.new`, path);
}

/** Removes what a crash left of the files that were being written in a folder. To be called before one is. */
export function sweepUnfinished(folder: string): void {
  for (const name of readdirSync(folder)) if (name.endsWith(".new")) rmSync(join(folder, name), { force: true });
}
