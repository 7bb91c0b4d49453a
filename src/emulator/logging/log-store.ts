import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LogEntry, NewEntry } from "./entry.ts";
import { redact } from "./redact.ts";
import { fromMilliseconds } from "./timestamp.ts";

/** All log entries, in the order in which they arrived. */
export interface LogStore {
  /** Adds entries. They can be read at once, and are on disk a moment later, or after `flush`. */
  append(entries: readonly NewEntry[]): void;
  /** Writes appended entries to disk. Throws Node's error if that fails. */
  flush(): void;
  read(): AsyncGenerator<LogEntry>;
  /** Passes each new entry to `take` until the returned function is called, or until the store is closed; then calls `end`. */
  follow(take: (entry: LogEntry) => void, end: () => void): () => void;
  close(): void;
}

interface LogStoreOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: (line: string) => void;
  readonly segmentBytes?: number;
  readonly maxSegments?: number;
}

/** Entries are written in batches: to serialize and write each by itself takes longer than to create it. */
const FLUSH_DELAY_MS = 10;
const SEGMENT = /^\d{8}\.jsonl$/;

// Unlike Cloud Run: the oldest entries are deleted when there are 32 MiB of them, not after 30 days.
/** Opens the segments in a folder; creates it if missing. An incomplete last line, which a crash cut off, is dropped. */
export function openLogStore(directory: string, { now, log, segmentBytes = 4 * 1024 * 1024, maxSegments = 8 }: LogStoreOptions): LogStore {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const numbers = (): number[] =>
    readdirSync(directory)
      .filter((name) => SEGMENT.test(name))
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => a - b);
  const path = (segment: number): string => join(directory, `${String(segment).padStart(8, "0")}.jsonl`);

  let current = numbers().at(-1) ?? 1;
  let size = dropTornLine(path(current));
  let descriptor = openSync(path(current), "a", 0o600);
  let pending: LogEntry[] = [];
  let scheduled: NodeJS.Timeout | undefined;
  let received = 0;
  const followers = new Map<(entry: LogEntry) => void, () => void>();

  const rotate = (): void => {
    closeSync(descriptor);
    current += 1;
    size = 0;
    descriptor = openSync(path(current), "a", 0o600);
    for (const old of numbers().slice(0, -maxSegments)) rmSync(path(old), { force: true });
  };
  const flush = (): void => {
    clearTimeout(scheduled);
    scheduled = undefined;
    if (pending.length === 0) return;
    const entries = pending;
    pending = [];
    const bytes = Buffer.from(entries.map((entry) => `${redact(JSON.stringify(entry))}\n`).join(""));
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
    } catch (error) {
      // A full disk can have taken half of a line; the next line must not continue it.
      truncateSync(path(current), size);
      throw error;
    }
    size += bytes.length;
    if (size >= segmentBytes) rotate();
  };
  const flushOrSay = (): void => {
    try {
      flush();
    } catch (error) {
      log(`Log entries were lost: ${(error as Error).message}`);
    }
  };

  return {
    append(entries) {
      const milliseconds = now();
      const receiveTimestamp = fromMilliseconds(milliseconds);
      for (const entry of entries) {
        received = (received + 1) % 0x1_0000_0000;
        const entryWithId: LogEntry = {
          timestamp: receiveTimestamp,
          insertId: makeInsertId(milliseconds, received),
          ...entry,
          receiveTimestamp,
        };
        pending.push(entryWithId);
        if (followers.size === 0) continue;
        const written = JSON.stringify(entryWithId);
        const line = redact(written);
        const shown = line === written ? entryWithId : (JSON.parse(line) as LogEntry);
        for (const take of followers.keys()) take(shown);
      }
      scheduled ??= setTimeout(flushOrSay, FLUSH_DELAY_MS);
    },
    flush,
    async *read() {
      flush();
      for (const segment of numbers()) {
        // The segment can have been deleted meanwhile.
        const text = await readFile(path(segment), "utf8").catch(() => "");
        for (const line of text.split("\n")) {
          const entry = parse(line);
          if (entry) yield entry;
        }
      }
    },
    follow(take, end) {
      followers.set(take, end);
      return () => void followers.delete(take);
    },
    close() {
      for (const end of followers.values()) end();
      followers.clear();
      flushOrSay();
      closeSync(descriptor);
    },
  };
}

/** Seconds, microseconds and a sequence number, so that entries of the same moment stay in order. */
function makeInsertId(milliseconds: number, number: number): string {
  const parts = [Math.floor(milliseconds / 1000), (milliseconds % 1000) * 1000, number];
  return parts.map((part) => Math.floor(part).toString(16).padStart(8, "0")).join("");
}

/** Truncates a segment after its last complete line; returns its size in bytes. */
function dropTornLine(file: string): number {
  if (!existsSync(file)) return 0;
  const whole = readFileSync(file).lastIndexOf("\n") + 1;
  if (whole < statSync(file).size) truncateSync(file, whole);
  return whole;
}

function parse(line: string): LogEntry | undefined {
  try {
    return line === "" ? undefined : (JSON.parse(line) as LogEntry);
  } catch {
    // A damaged line is lost; the others aren't.
    return undefined;
  }
}
