import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** A resource's new value; `value` is undefined if it was deleted. */
export interface Change {
  readonly collection: string;
  readonly key: string;
  readonly value?: unknown;
}

/** Keeps the emulator's state across crashes: every confirmed change is one line that is either complete or missing. */
export interface Journal {
  append(changes: readonly Change[]): void;
  close(): void;
}

/** Thrown for a journal line that was complete but isn't valid: the disk failed, or someone edited it. */
export class JournalError extends Error {
  override readonly name = "JournalError";

  constructor(file: string, line: number, cause: unknown) {
    super(`Line ${line} of ${file} is damaged: ${(cause as Error).message}`, { cause });
  }
}

/** A smaller journal isn't worth rewriting. */
const MIN_REWRITE_BYTES = 1024 * 1024;

/**
 * Opens `state.jsonl` in a directory, replays it, and rewrites it without outdated changes: now, and whenever it has grown fourfold.
 * `snapshot` returns the whole state, including the change that is being appended. An incomplete last line, which a crash cut off, was
 * never confirmed and is dropped. Throws JournalError for any other line that can't be replayed, and changes nothing then. Appended changes
 * survive any end of the process; a power failure can lose those since the last rewrite.
 */
export function openJournal(directory: string, replay: (change: Change) => void, snapshot: () => Iterable<Change>): Journal {
  const file = journalFile(directory);
  if (existsSync(file)) replayAll(file, replay);

  let descriptor = compact(file, snapshot());
  let length = fstatSync(descriptor).size;
  let limit = Math.max(MIN_REWRITE_BYTES, 4 * length);
  const rewrite = (): void => {
    try {
      const next = compact(file, snapshot());
      const outdated = descriptor;
      descriptor = next;
      length = fstatSync(next).size;
      closeSync(outdated);
    } catch {
      // The journal stays valid, only long: the next attempt follows when it has grown further.
    }
    limit = Math.max(MIN_REWRITE_BYTES, 4 * length);
  };
  return {
    append(changes) {
      const line = Buffer.from(`${JSON.stringify(changes)}\n`);
      try {
        for (let written = 0; written < line.length;) written += writeSync(descriptor, line, written);
      } catch (error) {
        // A full disk can have taken half of the line; the next line must not continue it.
        ftruncateSync(descriptor, length);
        throw error;
      }
      length += line.length;
      if (length > limit) rewrite();
    },
    close: () => closeSync(descriptor),
  };
}

/** Deletes the journal, and with it the whole state: the files beside it belong to nothing then. */
export function removeJournal(directory: string): void {
  rmSync(journalFile(directory), { force: true });
}

export function journalFile(directory: string): string {
  return join(directory, "state.jsonl");
}

function replayAll(file: string, replay: (change: Change) => void): void {
  const lines = readFileSync(file, "utf8").split("\n");
  // After the last newline comes the line that a crash cut off, or nothing.
  lines.pop();
  for (const [index, line] of lines.entries()) {
    try {
      for (const change of JSON.parse(line) as Change[]) {
        if (typeof change.key !== "string") throw new Error("A change has no key.");
        replay(change);
      }
    } catch (error) {
      throw new JournalError(file, index + 1, error);
    }
  }
}

/** Replaces the file with a journal of these changes, and returns it open for appending. */
function compact(file: string, changes: Iterable<Change>): number {
  const next = `${file}.new`;
  try {
    const written = openSync(next, "w", 0o600);
    try {
      for (const change of changes) writeFileSync(written, `${JSON.stringify([change])}\n`);
      // An empty journal is worth no more than none, which a power failure would leave.
      if (fstatSync(written).size > 0) fsyncSync(written);
    } finally {
      closeSync(written);
    }
    // Opened before the rename: if opening failed after it, changes would go to a file that no one reads.
    const descriptor = openSync(next, "a", 0o600);
    try {
      renameSync(next, file);
      return descriptor;
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}
