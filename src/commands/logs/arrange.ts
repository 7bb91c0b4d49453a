import { traceOf, type LogEntry } from "../../cloud/logs.ts";

/** An entry with its place: under the request that caused it, or by itself. */
export interface Placed {
  readonly entry: LogEntry;
  readonly isUnderRequest: boolean;
}

/** Puts what a service wrote during a request, by its trace, right behind the request's own entry; all else stays in the order of time. */
export function arrange(entries: readonly LogEntry[]): Placed[] {
  const requests = entries.filter(isRequest);
  const caused = new Map<LogEntry, LogEntry[]>(requests.map((request) => [request, []]));
  const rest = entries.filter((entry) => {
    const lines = isRequest(entry) ? undefined : caused.get(causeOf(entry, requests) as LogEntry);
    lines?.push(entry);
    return !lines;
  });
  return rest.flatMap((entry) => [
    { entry, isUnderRequest: false },
    ...(caused.get(entry) ?? []).map((line) => ({ entry: line, isUnderRequest: true })),
  ]);
}

/** The request of the entry's trace: where a trace has several, the latest that had begun. */
function causeOf(entry: LogEntry, requests: readonly LogEntry[]): LogEntry | undefined {
  const trace = traceOf(entry);
  const same = trace === undefined ? [] : requests.filter((request) => traceOf(request) === trace);
  return same.findLast(({ timestamp }) => compareTimes(timestamp, entry.timestamp) <= 0) ?? same[0];
}

/** Whether an entry is Cloud Run's own about a call. */
export function isRequest({ logName, httpRequest }: LogEntry): boolean {
  return httpRequest !== undefined && (logName ?? "").endsWith("%2Frequests");
}

/** What names an entry among others: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#FIELDS.insert_id */
export function nameOf({ logName, timestamp, insertId }: LogEntry): string {
  return `${logName} ${timestamp} ${insertId}`;
}

/** The order of two times of RFC 3339 in UTC: below 0 where `a` is earlier. */
export function compareTimes(a = "", b = ""): number {
  const [left, right] = [a.replace(/Z$/, ""), b.replace(/Z$/, "")];
  return left < right ? -1 : left > right ? 1 : 0;
}
