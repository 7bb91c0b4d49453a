import { Readable } from "node:stream";
import { invalidArgument } from "../server/errors.ts";
import type { LogEntry } from "./entry.ts";
import { listEntries } from "./list-entries.ts";
import type { LogStore } from "./log-store.ts";
import { parseSeverity, rankOf } from "./severity.ts";

/** A reader that falls behind further is disconnected. */
const MAX_BUFFERED_CHARACTERS = 16 * 1024 * 1024;

/**
 * The latest entries that match a query, the oldest first, one JSON object per line; with `follow=true` also new entries, until the reader
 * disconnects or the store closes. `service` and `severity` (the minimum) filter entries; `limit` is at most 1,000, and 100 by default.
 * Throws ApiError INVALID_ARGUMENT for a severity or limit that isn't valid.
 */
export async function streamEntries(store: LogStore, query: URLSearchParams): Promise<Readable> {
  const fits = compile(query);
  const limit = Number(query.get("limit") ?? 100);
  const follows = query.get("follow") === "true";
  let receivedMeanwhile: LogEntry[] | undefined = [];
  const stream = new Readable({
    read: () => undefined,
    destroy(error, done) {
      stop();
      done(error);
    },
  });
  const write = (entry: LogEntry): void => {
    stream.push(`${JSON.stringify(entry)}\n`);
    if (stream.readableLength > MAX_BUFFERED_CHARACTERS) stream.destroy();
  };
  const receive = (entry: LogEntry): void => {
    if (!fits(entry)) return;
    if (receivedMeanwhile) receivedMeanwhile.push(entry);
    else write(entry);
  };
  const stop = follows ? store.follow(receive, () => stream.push(null)) : () => undefined;
  try {
    const entries = limit === 0 ? [] : (await listEntries(store, { fits, orderBy: "timestamp desc", pageSize: limit })).entries.reverse();
    const shown = new Set(entries.map(({ insertId }) => insertId));
    for (const entry of [...entries, ...receivedMeanwhile.filter(({ insertId }) => !shown.has(insertId))]) write(entry);
    receivedMeanwhile = undefined;
  } catch (error) {
    stop();
    throw error;
  }
  if (!follows) stream.push(null);
  return stream;
}

function compile(query: URLSearchParams): (entry: LogEntry) => boolean {
  const service = query.get("service");
  const minSeverity = parseSeverity(query.get("severity") ?? "DEFAULT");
  if (minSeverity === undefined) throw invalidArgument(`Invalid severity '${query.get("severity")}'.`);
  const rank = rankOf(minSeverity);
  return ({ resource, severity = "DEFAULT" }) =>
    (service === null || resource.labels["service_name"] === service) && rankOf(severity) >= rank;
}
