import type { LogEntry, LogQuery, LogVerbs } from "../../cloud/logs.ts";
import { CliError } from "../../errors/cli-error.ts";
import { pause } from "../../http/poll.ts";
import { compareTimes, entryId } from "./group-by-request.ts";

interface FollowOptions {
  readonly query: LogQuery;
  /** The number of existing entries to begin with, the latest. */
  readonly limit: number;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  /** Receives a line if a read fails and is repeated. */
  readonly note: (text: string) => void;
}

/** Additional entries of the first read: a request that ended recently can have begun earlier than others. */
const EXTRA_ENTRIES = 100;
/** The longest time from Cloud Logging receiving an entry until a query finds it. */
const INDEXING_DELAY_MS = 60_000;
/** A request's entry has the time at which the request began, and is written when it ends: https://cloud.google.com/run/docs/configuring/request-timeout */
const MAX_REQUEST_DURATION_MS = 65 * 60_000;
const MAX_PAUSE_MS = 30_000;

/**
 * Yields the latest entries, and then new ones, each once: every read asks for what Cloud Logging has received since a minute before the newest entry.
 * A read that fails for a transient reason is repeated, and nothing is lost. Ends when the signal is aborted; throws any other error of a read.
 */
export async function* followEntries(read: LogVerbs["readLogs"], options: FollowOptions): AsyncGenerator<readonly LogEntry[]> {
  const { query, limit, intervalMs, signal, note } = options;
  const first = await read(firstQuery(query, limit));
  const seen = new Map(first.map((entry) => [entryId(entry), entry.receiveTimestamp]));
  let newest = latestReceived(undefined, first);
  const cutOff = first.length >= limit + EXTRA_ENTRIES ? { before: first[0]?.timestamp, received: newest } : undefined;
  yield limit === 0 ? [] : first.slice(-limit);

  for (let failures = 0; ;) {
    const pauseMs = failures === 0 ? intervalMs : Math.min(Math.max(intervalMs, 1000) * 2 ** failures, MAX_PAUSE_MS);
    await pause(pauseMs, signal).catch(() => {});
    if (signal.aborted) return;
    let entries: readonly LogEntry[];
    try {
      entries = await read(newest === undefined ? query : { ...query, ...queryWindow(query.since, newest) });
      failures = 0;
    } catch (error) {
      if (signal.aborted || !isTransient(error)) throw error;
      failures += 1;
      note(`${error.message} Retrying.`);
      continue;
    }
    const newEntries = entries.filter((entry) => !seen.has(entryId(entry)) && !(cutOff && isCutOff(entry, cutOff)));
    newest = latestReceived(newest, newEntries);
    for (const entry of newEntries) seen.set(entryId(entry), entry.receiveTimestamp);
    if (newest !== undefined) {
      const oldest = new Date(Date.parse(newest) - 2 * INDEXING_DELAY_MS).toISOString();
      for (const [name, received] of seen) if (compareTimes(received, oldest) < 0) seen.delete(name);
    }
    if (newEntries.length > 0) yield newEntries;
  }
}

/** The first query. It also finds where new entries begin, so it reads some even if `limit` is 0. */
export function firstQuery(query: LogQuery, limit: number): LogQuery {
  return { ...query, limit: limit + EXTRA_ENTRIES };
}

function queryWindow(since: string, newest: string): Pick<LogQuery, "since" | "receivedSince"> {
  const before = (durationMs: number) => new Date(Date.parse(newest) - durationMs).toISOString();
  const earliest = before(INDEXING_DELAY_MS + MAX_REQUEST_DURATION_MS);
  return { since: compareTimes(earliest, since) > 0 ? earliest : since, receivedSince: before(INDEXING_DELAY_MS) };
}

/** True if the first read left out the entry, since it is older than the latest ones. */
function isCutOff(entry: LogEntry, { before, received }: { readonly before?: string; readonly received?: string }): boolean {
  return compareTimes(entry.timestamp, before) <= 0 && compareTimes(entry.receiveTimestamp, received) <= 0;
}

function latestReceived(newest: string | undefined, entries: readonly LogEntry[]): string | undefined {
  return entries.reduce((max, { receiveTimestamp }) => (compareTimes(receiveTimestamp, max) > 0 ? receiveTimestamp : max), newest);
}

/** True for network errors, unavailable APIs, and an exhausted quota, which is 60 reads a minute. */
function isTransient(error: unknown): error is CliError {
  if (!(error instanceof CliError)) return false;
  return error.code === "UNAVAILABLE" || error.code === "TIMEOUT" || /RESOURCE_EXHAUSTED|Quota exceeded/i.test(error.message);
}
