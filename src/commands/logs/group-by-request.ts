import { traceOf, type LogEntry } from "../../cloud/logs.ts";

/** An entry, below the request that caused it or by itself. */
export interface ArrangedEntry {
  readonly entry: LogEntry;
  readonly isUnderRequest: boolean;
}

/** Moves entries of a request, by their trace, below the request's own entry. All others stay in the order of time. */
export function groupByRequest(entries: readonly LogEntry[]): ArrangedEntry[] {
  const requests = entries.filter(isRequest);
  const caused = new Map<LogEntry, LogEntry[]>(requests.map((request) => [request, []]));
  const rest = entries.filter((entry) => {
    const lines = isRequest(entry) ? undefined : caused.get(requestOf(entry, requests) as LogEntry);
    lines?.push(entry);
    return !lines;
  });
  return rest.flatMap((entry) => [
    { entry, isUnderRequest: false },
    ...(caused.get(entry) ?? []).map((line) => ({ entry: line, isUnderRequest: true })),
  ]);
}

/** The request of the entry's trace: if a trace has several, the latest that had begun. */
function requestOf(entry: LogEntry, requests: readonly LogEntry[]): LogEntry | undefined {
  const trace = traceOf(entry);
  const candidates = trace === undefined ? [] : requests.filter((request) => traceOf(request) === trace);
  return candidates.findLast(({ timestamp }) => compareTimes(timestamp, entry.timestamp) <= 0) ?? candidates[0];
}

/** True if the entry is Cloud Run's own for a request. */
export function isRequest({ logName, httpRequest }: LogEntry): boolean {
  return httpRequest !== undefined && (logName ?? "").endsWith("%2Frequests");
}

/** Identifies an entry: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#FIELDS.insert_id */
export function entryId({ logName, timestamp, insertId }: LogEntry): string {
  return `${logName} ${timestamp} ${insertId}`;
}

/** Compares two times of RFC 3339 in UTC: below 0 if `a` is earlier. */
export function compareTimes(a = "", b = ""): number {
  const [left, right] = [a.replace(/Z$/, ""), b.replace(/Z$/, "")];
  return left < right ? -1 : left > right ? 1 : 0;
}
