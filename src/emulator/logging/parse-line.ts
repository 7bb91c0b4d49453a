import { isDeeperThan, isObject, parseObject } from "../server/json.ts";
import { HTTP_REQUEST_FIELDS, OPERATION_FIELDS, pickFields, pickLabels, SOURCE_LOCATION_FIELDS, type NewEntry } from "./entry.ts";
import { parseSeverity } from "./severity.ts";
import { parseTimestamp, fromSecondsAndNanos } from "./timestamp.ts";

type Fields = Record<string, unknown>;
type ParsedEntry = Partial<Omit<NewEntry, "logName" | "resource">>;

/** The limit of `google.protobuf.Struct`. */
const MAX_STRUCT_DEPTH = 100;
const PREFIX = "logging.googleapis.com/";

/** Parses a service's line, JSON or text: https://cloud.google.com/logging/docs/structured-logging */
export function parseLine(line: string): ParsedEntry {
  const fields = line.trimStart().startsWith("{") ? parseFields(line) : undefined;
  if (!fields) return { textPayload: line };
  const parsed = Object.assign({}, ...EXTRACTORS.map((extractField) => extractField(fields))) as ParsedEntry;
  const { message, ...others } = fields;
  // Only a message, with or without a severity, is plain text.
  return typeof message === "string" && Object.keys(others).length === 0
    ? { ...parsed, textPayload: message }
    : { ...parsed, jsonPayload: fields };
}

/** Each removes its fields from a structured line if they have the right type, and returns the entry's fields. */
const EXTRACTORS: readonly ((fields: Fields) => ParsedEntry)[] = [
  (fields) => {
    const severity = fields["severity"] === undefined ? undefined : parseSeverity(fields["severity"]);
    if (!severity) return {};
    delete fields["severity"];
    return severity === "DEFAULT" ? {} : { severity };
  },
  extractTimestamp,
  (fields) => lift(fields, "httpRequest", "httpRequest", (value) => pickFields(value, HTTP_REQUEST_FIELDS)),
  (fields) => lift(fields, "labels", `${PREFIX}labels`, pickLabels),
  (fields) => lift(fields, "operation", `${PREFIX}operation`, (value) => pickFields(value, OPERATION_FIELDS)),
  (fields) => lift(fields, "sourceLocation", `${PREFIX}sourceLocation`, (value) => pickFields(value, SOURCE_LOCATION_FIELDS)),
  (fields) => lift(fields, "insertId", `${PREFIX}insertId`, nonEmptyText),
  (fields) => lift(fields, "trace", `${PREFIX}trace`, nonEmptyText),
  (fields) => lift(fields, "spanId", `${PREFIX}spanId`, nonEmptyText),
  (fields) => lift(fields, "traceSampled", `${PREFIX}trace_sampled`, parseBoolean),
];

function lift<Name extends keyof ParsedEntry>(
  fields: Fields,
  name: Name,
  from: string,
  read: (value: unknown) => ParsedEntry[Name],
): ParsedEntry {
  const value = fields[from] === undefined ? undefined : read(fields[from]);
  if (value === undefined) return {};
  delete fields[from];
  return { [name]: value };
}

// https://cloud.google.com/logging/docs/agent/logging/configuration#timestamp-processing
function extractTimestamp(fields: Fields): ParsedEntry {
  for (const name of ["timestamp", "time"]) {
    const value = fields[name];
    const timestamp =
      typeof value === "string" ? parseTimestamp(value) : isObject(value) ? fromSeconds(value["seconds"], value["nanos"]) : undefined;
    if (timestamp === undefined) continue;
    delete fields[name];
    return { timestamp };
  }
  const timestamp = fromSeconds(fields["timestampSeconds"], fields["timestampNanos"]);
  if (timestamp === undefined) return {};
  delete fields["timestampSeconds"];
  delete fields["timestampNanos"];
  return { timestamp };
}

function fromSeconds(seconds: unknown, nanos: unknown = 0): string | undefined {
  return seconds === undefined ? undefined : fromSecondsAndNanos(Number(seconds), Number(nanos));
}

function nonEmptyText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function parseBoolean(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : value === "true" ? true : value === "false" ? false : undefined;
}

function parseFields(line: string): Fields | undefined {
  const fields = parseObject(line);
  return fields && !isDeeperThan(MAX_STRUCT_DEPTH, fields) ? fields : undefined;
}
