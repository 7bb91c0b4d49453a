import type { ServiceName } from "./names.ts";
import type { Severity } from "./severity.ts";

export interface LogVerbs {
  /** The entries that match a query, the oldest first. */
  readLogs(query: LogQuery): Promise<readonly LogEntry[]>;
}

export interface LogQuery extends ServiceName {
  readonly revision?: string;
  /** RFC 3339: the earliest time of an entry. */
  readonly since: string;
  /** RFC 3339: the earliest time at which Cloud Logging received an entry. */
  readonly receivedSince?: string;
  readonly severity?: Severity;
  /** Text in what the service wrote or in the URL of a request, in any case. */
  readonly text?: string;
  readonly traces?: readonly string[];
  /** The newest entries up to this number; all entries by default. */
  readonly limit?: number;
}

/** https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry; commands pass the whole message on. */
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
  /** `projects/PROJECT/traces/ID`, or anything that a service has written. */
  readonly trace?: string;
  readonly httpRequest?: {
    readonly requestMethod?: string;
    readonly requestUrl?: string;
    readonly status?: number;
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
    // Audit entries about changes of the service are in another log.
    'NOT logName:"cloudaudit.googleapis.com"',
    `timestamp>="${since}"`,
    ...(receivedSince === undefined ? [] : [`receiveTimestamp>="${receivedSince}"`]),
    ...(severity === undefined ? [] : [`severity>=${severity}`]),
    ...(text === undefined ? [] : [`(textPayload:${quoted} OR jsonPayload:${quoted} OR httpRequest.requestUrl:${quoted})`]),
    ...(traces === undefined ? [] : [`trace:(${traces.map((id) => JSON.stringify(id)).join(" OR ")})`]),
  ].join(" AND ");
}

export function traceOf({ trace }: LogEntry): string | undefined {
  return trace?.split("/").at(-1) || undefined;
}
