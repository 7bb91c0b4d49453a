import type { ServiceName } from "./names.ts";

/** What is done with the log of a service; a part of `Cloud`. */
export interface LogVerbs {
  /** The entries that a query asks for, the oldest first. */
  readLogs(query: LogQuery): Promise<readonly LogEntry[]>;
}

/** Google's severities, from the least to the greatest: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#logseverity */
export const SEVERITIES = ["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"] as const;

export type Severity = (typeof SEVERITIES)[number];

export interface LogQuery extends ServiceName {
  readonly revision?: string;
  /** RFC 3339: entries of an earlier time are not asked for. */
  readonly since: string;
  /** RFC 3339: nor are those that Cloud Logging had taken in before. */
  readonly receivedSince?: string;
  /** At least. */
  readonly severity?: Severity;
  /** In what the service wrote, or in the URL that was called; in either case. */
  readonly text?: string;
  /** Entries of these traces only, by their ids. */
  readonly traces?: readonly string[];
  /** Where there are more than this, the latest; all of them where it is not said. */
  readonly limit?: number;
}

/** Google's LogEntry message, as far as it is read here; the whole of it is handed on. */
export interface LogEntry {
  readonly insertId?: string;
  readonly logName?: string;
  readonly timestamp?: string;
  readonly receiveTimestamp?: string;
  readonly severity?: string;
  readonly resource?: { readonly labels?: { readonly service_name?: string; readonly revision_name?: string } };
  readonly labels?: Readonly<Record<string, string>>;
  readonly textPayload?: string;
  readonly jsonPayload?: Readonly<Record<string, unknown>>;
  readonly protoPayload?: Readonly<Record<string, unknown>>;
  /** `projects/PROJECT/traces/ID`, or what a service has put there. */
  readonly trace?: string;
  readonly httpRequest?: {
    readonly requestMethod?: string;
    readonly requestUrl?: string;
    readonly status?: number;
    /** Seconds, with an s behind. */
    readonly latency?: string;
  };
}

/** The query in Google's language, one line. https://cloud.google.com/logging/docs/view/logging-query-language */
export function logFilter({ service, region, revision, since, receivedSince, severity, text, traces }: LogQuery): string {
  const quoted = text === undefined ? "" : JSON.stringify(text);
  return [
    'resource.type="cloud_run_revision"',
    `resource.labels.service_name="${service}"`,
    `resource.labels.location="${region}"`,
    ...(revision === undefined ? [] : [`resource.labels.revision_name=${JSON.stringify(revision)}`]),
    // Who changed the service is in a log of another kind.
    'NOT logName:"cloudaudit.googleapis.com"',
    `timestamp>="${since}"`,
    ...(receivedSince === undefined ? [] : [`receiveTimestamp>="${receivedSince}"`]),
    ...(severity === undefined ? [] : [`severity>=${severity}`]),
    ...(text === undefined ? [] : [`(textPayload:${quoted} OR jsonPayload:${quoted} OR httpRequest.requestUrl:${quoted})`]),
    ...(traces === undefined ? [] : [`trace:(${traces.map((id) => JSON.stringify(id)).join(" OR ")})`]),
  ].join(" AND ");
}

/** The id of an entry's trace, whatever project a service has put before it. */
export function traceOf({ trace }: LogEntry): string | undefined {
  return trace?.split("/").at(-1) || undefined;
}
