import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LogEntry, NewEntry } from "./entry.ts";
import { redact } from "./redact.ts";
import { timestampAt } from "./timestamp.ts";

/** Where all log entries are kept, in the order in which they came. */
export interface LogStore {
  /** Takes entries in; they can be read at once, and are on disk a moment later, or after `flush`. */
  append(entries: readonly NewEntry[]): void;
  /** Writes what was appended; throws Node's error where the disk does not take it. */
  flush(): void;
  /** All that is kept. */
  read(): AsyncGenerator<LogEntry>;
  /** Hands on each entry that comes from now on, until the returned function is called or the store is closed; then `end` is called. */
  follow(take: (entry: LogEntry) => void, end: () => void): () => void;
  close(): void;
}

interface LogStoreOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: (line: string) => void;
  /** Bytes after which a segment is followed by the next. */
  readonly segmentBytes?: number;
  readonly maxSegments?: number;
}

/** Milliseconds in which entries come together: to put each into words and write it by itself takes longer than to make it. */
const FLUSH_DELAY_MS = 10;
const SEGMENT = /^\d{8}\.jsonl$/;

// Unlike Cloud Run: the oldest entries go when there are 32 MiB of them, not after 30 days.
/** Opens the segments in a folder, made where it is missing. A last line that a crash cut off is dropped. */
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
      // A full disk may have taken half of a line; the next line must not continue it.
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
      const receiveTimestamp = timestampAt(milliseconds);
      for (const entry of entries) {
        received = (received + 1) % 0x1_0000_0000;
        const whole: LogEntry = { timestamp: receiveTimestamp, insertId: makeInsertId(milliseconds, received), ...entry, receiveTimestamp };
        pending.push(whole);
        if (followers.size === 0) continue;
        const written = JSON.stringify(whole);
        const line = redact(written);
        const shown = line === written ? whole : (JSON.parse(line) as LogEntry);
        for (const take of followers.keys()) take(shown);
      }
      scheduled ??= setTimeout(flushOrSay, FLUSH_DELAY_MS);
    },
    flush,
    async *read() {
      flush();
      for (const segment of numbers()) {
        // A segment that was dropped meanwhile holds nothing any more.
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

/** Seconds, microseconds and a running number, so that what came first is first among entries of the same moment. */
function makeInsertId(milliseconds: number, number: number): string {
  const parts = [Math.floor(milliseconds / 1000), (milliseconds % 1000) * 1000, number];
  return parts.map((part) => Math.floor(part).toString(16).padStart(8, "0")).join("");
}

/** Cuts a segment after its last whole line; gives its size in bytes. */
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
    // A line that the disk has damaged is lost; the others are not.
    return undefined;
  }
}
