import { invalidArgument } from "../server/errors.ts";
import type { LogEntry } from "./entry.ts";
import type { LogStore } from "./log-store.ts";
import type { EntryFilter } from "./query.ts";
import { compareTimestamps } from "./timestamp.ts";

const MAX_PAGE_SIZE = 1000;
const DEFAULT_PAGE_SIZE = 50;

interface ListOptions {
  readonly fits: EntryFilter;
  /** `timestamp asc` (the default) or `timestamp desc`. */
  readonly orderBy?: unknown;
  /** At most 1,000; 50 by default. */
  readonly pageSize?: unknown;
  readonly pageToken?: unknown;
}

/** What orders entries: https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list */
type Place = Pick<LogEntry, "timestamp" | "insertId">;

/** One page of matching entries, in order. Throws ApiError INVALID_ARGUMENT for an order, size or token that isn't valid. */
export async function listEntries(
  store: LogStore,
  { fits, ...options }: ListOptions,
): Promise<{ entries: LogEntry[]; nextPageToken?: string }> {
  const compare = readOrder(options.orderBy ?? "");
  const size = readSize(options.pageSize ?? 0);
  const after = readToken(options.pageToken ?? "");
  let matching: LogEntry[] = [];
  const keepFirst = (): LogEntry[] => matching.sort(compare).slice(0, size + 1);
  for await (const entry of store.read()) {
    if ((after && compare(entry, after) <= 0) || !fits(entry)) continue;
    matching.push(entry);
    // Entries that can't be on the page any more needn't stay in memory.
    if (matching.length > size * 4) matching = keepFirst();
  }
  matching = keepFirst();
  const entries = matching.slice(0, size);
  return { entries, ...(matching.length > size && { nextPageToken: writeToken(entries.at(-1) as LogEntry) }) };
}

function readOrder(orderBy: unknown): (a: Place, b: Place) => number {
  const direction = /^(?:timestamp(?: +(asc|desc))?)?$/i.exec(String(orderBy).trim());
  if (!direction) throw invalidArgument("order_by must be 'timestamp asc' or 'timestamp desc'.");
  return direction[1]?.toLowerCase() === "desc" ? (a, b) => compare(b, a) : compare;
}

function compare(a: Place, b: Place): number {
  return compareTimestamps(a.timestamp, b.timestamp) || (a.insertId < b.insertId ? -1 : a.insertId > b.insertId ? 1 : 0);
}

function readSize(size: unknown): number {
  if (!Number.isInteger(size) || (size as number) < 0) throw invalidArgument("The page size is invalid.");
  return Math.min((size as number) || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
}

function writeToken({ timestamp, insertId }: Place): string {
  return Buffer.from(JSON.stringify([timestamp, insertId])).toString("base64url");
}

function readToken(token: unknown): Place | undefined {
  if (token === "") return undefined;
  try {
    const [timestamp, insertId] = JSON.parse(Buffer.from(String(token), "base64url").toString("utf8")) as [string, string];
    return { timestamp, insertId };
  } catch {
    throw invalidArgument("page_token is invalid.");
  }
}
