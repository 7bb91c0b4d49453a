import { setTimeout as sleep } from "node:timers/promises";
import type { LogEntry, LogQuery, LogVerbs } from "../../cloud/logs.ts";
import { CliError } from "../../errors/cli-error.ts";
import { compareTimes, nameOf } from "./arrange.ts";

interface Following {
  readonly query: LogQuery;
  /** So many of the entries that are there, the latest. */
  readonly limit: number;
  /** Milliseconds between two looks. */
  readonly interval: number;
  readonly signal: AbortSignal;
  /** Takes a line where a look fails and another is taken. */
  readonly note: (text: string) => void;
}

/** Entries that are read at first beyond those that are wanted: of what ended last, some has begun before. */
const MARGIN = 100;
/** Milliseconds. An entry that Cloud Logging has taken in may take this long until it is found. */
const OVERLAP = 60_000;
/** Milliseconds. A request's entry has the time at which it began, and comes when it is over: https://cloud.google.com/run/docs/configuring/request-timeout */
const LONGEST_REQUEST = 65 * 60_000;
/** Milliseconds. */
const LONGEST_PAUSE = 30_000;

/**
 * The latest entries, and then those that come, none twice: each time, what Cloud Logging has taken in since a minute before the newest that was seen
 * is asked for again. A look that fails for what passes by itself is taken again, and loses nothing. Ends when the signal says so; throws
 * what else a look throws.
 */
export async function* followEntries(read: LogVerbs["readLogs"], following: Following): AsyncGenerator<readonly LogEntry[]> {
  const { query, limit, interval, signal, note } = following;
  const first = await read(firstLook(query, limit));
  const seen = new Map(first.map((entry) => [nameOf(entry), entry.receiveTimestamp]));
  let newest = latest(undefined, first);
  const cut = first.length >= limit + MARGIN ? { before: first[0]?.timestamp, received: newest } : undefined;
  yield limit === 0 ? [] : first.slice(-limit);

  for (let failures = 0; ;) {
    const pause = failures === 0 ? interval : Math.min(Math.max(interval, 1000) * 2 ** failures, LONGEST_PAUSE);
    await sleep(pause, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    let found: readonly LogEntry[];
    try {
      found = await read(newest === undefined ? query : { ...query, ...window(query.since, newest) });
      failures = 0;
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      failures += 1;
      note(`${error.message} Asking again.`);
      continue;
    }
    const fresh = found.filter((entry) => !seen.has(nameOf(entry)) && !(cut && isCutOff(entry, cut)));
    newest = latest(newest, fresh);
    for (const entry of fresh) seen.set(nameOf(entry), entry.receiveTimestamp);
    if (newest !== undefined) {
      const oldest = new Date(Date.parse(newest) - 2 * OVERLAP).toISOString();
      for (const [name, received] of seen) if (compareTimes(received, oldest) < 0) seen.delete(name);
    }
    if (fresh.length > 0) yield fresh;
  }
}

/** What is asked for at first: it tells where the new entries begin, too, and so some are read where none is wanted. */
export function firstLook(query: LogQuery, limit: number): LogQuery {
  return { ...query, limit: limit + MARGIN };
}

function window(since: string, newest: string): Pick<LogQuery, "since" | "receivedSince"> {
  const before = (milliseconds: number) => new Date(Date.parse(newest) - milliseconds).toISOString();
  const earliest = before(OVERLAP + LONGEST_REQUEST);
  return { since: compareTimes(earliest, since) > 0 ? earliest : since, receivedSince: before(OVERLAP) };
}

/** An entry that was there at the first look, and earlier than the latest that were wanted. */
function isCutOff(entry: LogEntry, { before, received }: { readonly before?: string; readonly received?: string }): boolean {
  return compareTimes(entry.timestamp, before) <= 0 && compareTimes(entry.receiveTimestamp, received) <= 0;
}

function latest(newest: string | undefined, entries: readonly LogEntry[]): string | undefined {
  return entries.reduce((found, { receiveTimestamp }) => (compareTimes(receiveTimestamp, found) > 0 ? receiveTimestamp : found), newest);
}

/** The network, an API that is not there for the moment, and a quota that is spent: 60 reads a minute. */
function isPassing(error: unknown): error is CliError {
  if (!(error instanceof CliError)) return false;
  return error.code === "UNAVAILABLE" || error.code === "TIMEOUT" || /RESOURCE_EXHAUSTED|Quota exceeded/i.test(error.message);
}
