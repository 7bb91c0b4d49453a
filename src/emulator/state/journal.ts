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

/** One resource's new value; `value` is undefined where it was deleted. */
export interface Change {
  readonly collection: string;
  readonly key: string;
  readonly value?: unknown;
}

/** What keeps the emulator's state across a crash: every answered change is one line that is either whole or not there. */
export interface Journal {
  append(changes: readonly Change[]): void;
  close(): void;
}

/** A journal with a line that was whole once and is not what was written: by a disk that fails, or by hand. */
export class JournalError extends Error {
  override readonly name = "JournalError";

  constructor(file: string, line: number, cause: unknown) {
    super(`Line ${line} of ${file} is damaged: ${(cause as Error).message}`, { cause });
  }
}

/** Bytes up to which a journal is not worth rewriting. */
const MIN_REWRITE_BYTES = 1024 * 1024;

/**
 * Opens `state.jsonl` in a directory, replays it, and rewrites it without what is outdated: at once, and whenever it has grown fourfold.
 * `snapshot` gives all that is so, with what is being appended. A last line that a crash cut off was never answered, and is dropped.
 * Throws a JournalError for any other line that cannot be replayed, and changes nothing then.
 * What is appended outlives the process, however that ends; a power cut may take what was appended since the journal was last rewritten.
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
      // The journal is whole as it is, only long: it is tried again when it has grown further.
    }
    limit = Math.max(MIN_REWRITE_BYTES, 4 * length);
  };
  return {
    append(changes) {
      const line = Buffer.from(`${JSON.stringify(changes)}\n`);
      try {
        for (let written = 0; written < line.length;) written += writeSync(descriptor, line, written);
      } catch (error) {
        // A full disk may have taken half of the line; the next line must not continue it.
        ftruncateSync(descriptor, length);
        throw error;
      }
      length += line.length;
      if (length > limit) rewrite();
    },
    close: () => closeSync(descriptor),
  };
}

/** Forgets all at once: what lies beside the journal belongs to nothing from then on. */
export function removeJournal(directory: string): void {
  rmSync(journalFile(directory), { force: true });
}

/** Where a directory's journal is; it is there once something was kept. */
export function journalFile(directory: string): string {
  return join(directory, "state.jsonl");
}

function replayAll(file: string, replay: (change: Change) => void): void {
  const lines = readFileSync(file, "utf8").split("\n");
  // What follows the last line end is the line that a crash cut off, or nothing.
  lines.pop();
  for (const [index, line] of lines.entries()) {
    try {
      for (const change of JSON.parse(line) as Change[]) {
        if (typeof change.key !== "string") throw new Error("It has a change without a key.");
        replay(change);
      }
    } catch (error) {
      throw new JournalError(file, index + 1, error);
    }
  }
}

/** Puts a journal of these changes in the place of the file; gives it open for what is to be appended. */
function compact(file: string, changes: Iterable<Change>): number {
  const next = `${file}.new`;
  try {
    const written = openSync(next, "w", 0o600);
    try {
      for (const change of changes) writeFileSync(written, `${JSON.stringify([change])}\n`);
      // An empty one says no more than none, which is what a power cut would leave.
      if (fstatSync(written).size > 0) fsyncSync(written);
    } finally {
      closeSync(written);
    }
    // Before the renaming: after it, nothing may go wrong any more, or changes would go to a file that nobody reads.
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
