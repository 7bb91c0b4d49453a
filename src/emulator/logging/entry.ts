import { isObject } from "../server/json.ts";
import type { Severity } from "./severity.ts";

export interface MonitoredResource {
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry; unset fields are missing, and the severity DEFAULT is unset. */
export interface LogEntry {
  readonly insertId: string;
  readonly logName: string;
  readonly resource: MonitoredResource;
  /** In the form of `parseTimestamp`. */
  readonly timestamp: string;
  readonly receiveTimestamp: string;
  readonly severity?: Severity;
  readonly textPayload?: string;
  readonly jsonPayload?: Readonly<Record<string, unknown>>;
  readonly protoPayload?: Readonly<Record<string, unknown>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly httpRequest?: Readonly<Record<string, unknown>>;
  readonly operation?: Readonly<Record<string, unknown>>;
  readonly sourceLocation?: Readonly<Record<string, unknown>>;
  readonly trace?: string;
  readonly spanId?: string;
  readonly traceSampled?: boolean;
}

/** An entry that Cloud Logging hasn't received yet. */
export type NewEntry = Omit<LogEntry, "insertId" | "timestamp" | "receiveTimestamp"> & Partial<Pick<LogEntry, "insertId" | "timestamp">>;

/** The fields of a message that Google's API knows, converted to their types; undefined if none is left. */
export function pickFields(value: unknown, fields: Readonly<Record<string, FieldType>>): Record<string, unknown> | undefined {
  if (!isObject(value)) return undefined;
  const picked: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(fields)) {
    const converted = convert(value[name], type);
    if (converted !== undefined) picked[name] = converted;
  }
  return Object.keys(picked).length > 0 ? picked : undefined;
}

type FieldType = "string" | "boolean" | "int32" | "int64";

// https://protobuf.dev/programming-guides/json/: 64-bit numbers are strings.
function convert(value: unknown, type: FieldType): unknown {
  if (value === undefined || value === null) return undefined;
  if (type === "string") return typeof value === "string" ? value : undefined;
  if (type === "boolean") return typeof value === "boolean" ? value : undefined;
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (!Number.isSafeInteger(number)) return undefined;
  return type === "int32" ? number : String(number);
}

export const HTTP_REQUEST_FIELDS = {
  requestMethod: "string",
  requestUrl: "string",
  requestSize: "int64",
  status: "int32",
  responseSize: "int64",
  userAgent: "string",
  remoteIp: "string",
  serverIp: "string",
  referer: "string",
  latency: "string",
  cacheLookup: "boolean",
  cacheHit: "boolean",
  cacheValidatedWithOriginServer: "boolean",
  cacheFillBytes: "int64",
  protocol: "string",
} as const;

export const OPERATION_FIELDS = { id: "string", producer: "string", first: "boolean", last: "boolean" } as const;

export const SOURCE_LOCATION_FIELDS = { file: "string", line: "int64", function: "string" } as const;

/** Labels with each value as text; undefined if `value` isn't an object. */
export function pickLabels(value: unknown): Record<string, string> | undefined {
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, label]) => [name, String(label)])) : undefined;
}
