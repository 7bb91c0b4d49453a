import { isObject } from "../server/json.ts";
import { invalidArgument } from "../server/errors.ts";
import {
  HTTP_REQUEST_FIELDS,
  OPERATION_FIELDS,
  pickFields,
  pickLabels,
  SOURCE_LOCATION_FIELDS,
  type MonitoredResource,
  type NewEntry,
} from "./entry.ts";
import { parseSeverity } from "./severity.ts";
import { parseTimestamp } from "./timestamp.ts";

/** https://cloud.google.com/logging/quotas */
const MAX_ENTRY_BYTES = 256 * 1024;

/**
 * Parses the entries of an entries:write request, each with the request's defaults. `nameProject` returns the id of a project, given by its
 * id or number, or throws. Throws ApiError INVALID_ARGUMENT for what Cloud Logging refuses.
 * https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/write
 */
export function readEntries(body: Readonly<Record<string, unknown>>, nameProject: (idOrNumber: string) => string): NewEntry[] {
  const { entries } = body;
  if (!Array.isArray(entries) || entries.length === 0) throw invalidArgument("No entries were given.");
  return entries.map((entry: unknown, index) => {
    const refuse = (field: string): never => {
      throw invalidArgument(`Invalid value at 'entries[${index}].${field}'.`);
    };
    if (!isObject(entry)) throw invalidArgument(`Invalid value at 'entries[${index}]'.`);
    const size = Buffer.byteLength(JSON.stringify(entry));
    if (size > MAX_ENTRY_BYTES) throw invalidArgument(`Log entry with size ${size} exceeds maximum size of ${MAX_ENTRY_BYTES} bytes.`);
    const read = <T>(field: string, value: unknown, parse: (value: unknown) => T | undefined): T | undefined =>
      value === undefined || value === null ? undefined : (parse(value) ?? refuse(field));

    const logName = readLogName(entry["logName"] || body["logName"], nameProject) ?? refuse("log_name");
    const resource = readResource(entry["resource"] ?? body["resource"], logName) ?? refuse("resource");
    const labels = { ...read("labels", body["labels"], pickLabels), ...read("labels", entry["labels"], pickLabels) };
    const severity = read("severity", entry["severity"], parseSeverity);
    const written = {
      logName,
      resource,
      insertId: read("insert_id", entry["insertId"] || undefined, text),
      timestamp: read("timestamp", entry["timestamp"], (value) => parseTimestamp(String(value))),
      severity: severity === "DEFAULT" ? undefined : severity,
      ...readPayload(entry, refuse),
      labels: Object.keys(labels).length > 0 ? labels : undefined,
      httpRequest: read("http_request", entry["httpRequest"], (value) => pickFields(value, HTTP_REQUEST_FIELDS)),
      operation: read("operation", entry["operation"], (value) => pickFields(value, OPERATION_FIELDS)),
      sourceLocation: read("source_location", entry["sourceLocation"], (value) => pickFields(value, SOURCE_LOCATION_FIELDS)),
      trace: read("trace", entry["trace"] || undefined, text),
      spanId: read("span_id", entry["spanId"] || undefined, text),
      traceSampled: read("trace_sampled", entry["traceSampled"], (value) => (typeof value === "boolean" ? value : undefined)),
    };
    return Object.fromEntries(Object.entries(written).filter(([, value]) => value !== undefined)) as unknown as NewEntry;
  });
}

function readPayload(entry: Readonly<Record<string, unknown>>, refuse: (field: string) => never): Partial<NewEntry> {
  const payloads = (["textPayload", "jsonPayload", "protoPayload"] as const).filter(
    (name) => entry[name] !== undefined && entry[name] !== null,
  );
  const [name] = payloads;
  if (payloads.length > 1) return refuse("payload");
  if (name === undefined) return {};
  const payload = entry[name];
  return (name === "textPayload" ? typeof payload === "string" : isObject(payload)) ? { [name]: payload } : refuse(name);
}

/** `projects/P/logs/LOG_ID`, with the project's id and LOG_ID URL-encoded. */
function readLogName(name: unknown, nameProject: (idOrNumber: string) => string): string | undefined {
  const [, project, id] = /^\/?projects\/([^/]+)\/logs\/([\w.%-]{1,511})$/.exec(String(name)) ?? [];
  return project === undefined || id === undefined ? undefined : `projects/${nameProject(project)}/logs/${id}`;
}

function readResource(resource: unknown, logName: string): MonitoredResource | undefined {
  if (!isObject(resource) || typeof resource["type"] !== "string" || resource["type"] === "") return undefined;
  const labels = pickLabels(resource["labels"] ?? {});
  return labels && { type: resource["type"], labels: { project_id: logName.split("/")[1] ?? "", ...labels } };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
