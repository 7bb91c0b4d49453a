import type { LogEntry } from "../../cloud/logs.ts";
import { redact } from "../../errors/redact.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { formatPayload, stripControlCharacters } from "./format-payload.ts";

interface EntryOptions {
  readonly style: Terminal["style"];
  /** The service of all entries; its name isn't repeated. */
  readonly service: string | undefined;
  /** True if the service wrote it during the request above it. */
  readonly isUnderRequest?: boolean;
  /** True if the query doesn't match it, and it only gives context. */
  readonly isContext?: boolean;
}

const SEVERITY_COLORS: Readonly<Record<string, "red" | "yellow" | "cyan">> = {
  NOTICE: "cyan",
  WARNING: "yellow",
  ERROR: "red",
  CRITICAL: "red",
  ALERT: "red",
  EMERGENCY: "red",
};

/** Formats an entry for people: time, severity, revision, then the request or the payload, whose further lines are indented. */
export function formatEntry(entry: LogEntry, { style, service, isUnderRequest, isContext }: EntryOptions): string {
  const { timestamp = "", severity = "DEFAULT", resource } = entry;
  const timeMs = Date.parse(timestamp);
  const time = Number.isNaN(timeMs) ? timestamp.padEnd(24) : new Date(timeMs).toISOString();
  const prefix = service === undefined ? "" : `${service}-`;
  const revision = (resource?.labels?.revision_name ?? "").replace(prefix, "").padEnd(9);
  const mark = isUnderRequest ? "│ " : "";
  const text = [formatRequest(entry), formatPayload(entry)].filter(Boolean).join("  ");
  const [first = "", ...more] = redact(stripControlCharacters(text)).trimEnd().split("\n");
  const margin = " ".repeat(time.length + 2 + 8 + 2 + revision.length + 2);
  const lines = (head: string) => [`${head}${mark}${first}`.trimEnd(), ...more.map((line) => `${margin}${mark}  ${line}`)].join("\n");
  if (isContext) return style("dim", lines(`${time}  ${severity.padEnd(8)}  ${revision}  `));
  const color = SEVERITY_COLORS[severity];
  return lines(`${style("dim", time)}  ${color ? style(color, severity.padEnd(8)) : severity.padEnd(8)}  ${style("dim", revision)}  `);
}

function formatRequest({ httpRequest }: LogEntry): string {
  if (!httpRequest) return "";
  const { requestMethod = "", requestUrl = "", status, latency } = httpRequest;
  const path = URL.canParse(requestUrl) ? requestUrl.slice(new URL(requestUrl).origin.length) : requestUrl;
  return [requestMethod, path || "/", status, latency && formatSeconds(Number.parseFloat(latency))].filter(Boolean).join(" ");
}

function formatSeconds(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}
