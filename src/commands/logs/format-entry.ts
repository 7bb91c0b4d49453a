import type { LogEntry } from "../../cloud/logs.ts";
import { redact } from "../../errors/redact.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { showPayload, withoutControls } from "./format-payload.ts";

interface Manner {
  readonly style: Terminal["style"];
  readonly service: string;
  /** True for what a service wrote during the request above it. */
  readonly isUnderRequest: boolean;
  /** True for what was not asked for, and is shown for what is around it. */
  readonly isContext: boolean;
}

const COLOURS: Readonly<Record<string, "red" | "yellow" | "cyan">> = {
  NOTICE: "cyan",
  WARNING: "yellow",
  ERROR: "red",
  CRITICAL: "red",
  ALERT: "red",
  EMERGENCY: "red",
};

/** An entry as a person reads it: time, severity, revision, then the call or what was written; further lines stand under the first. */
export function showEntry(entry: LogEntry, { style, service, isUnderRequest, isContext }: Manner): string {
  const { timestamp = "", severity = "DEFAULT", resource } = entry;
  const milliseconds = Date.parse(timestamp);
  const time = Number.isNaN(milliseconds) ? timestamp.padEnd(24) : new Date(milliseconds).toISOString();
  const revision = (resource?.labels?.revision_name ?? "").replace(`${service}-`, "").padEnd(9);
  const mark = isUnderRequest ? "│ " : "";
  const said = [showRequest(entry), showPayload(entry)].filter(Boolean).join("  ");
  const [first = "", ...more] = redact(withoutControls(said)).trimEnd().split("\n");
  const margin = " ".repeat(time.length + 2 + 8 + 2 + revision.length + 2);
  const lines = (head: string) => [`${head}${mark}${first}`.trimEnd(), ...more.map((line) => `${margin}${mark}  ${line}`)].join("\n");
  if (isContext) return style("dim", lines(`${time}  ${severity.padEnd(8)}  ${revision}  `));
  const colour = COLOURS[severity];
  return lines(`${style("dim", time)}  ${colour ? style(colour, severity.padEnd(8)) : severity.padEnd(8)}  ${style("dim", revision)}  `);
}

function showRequest({ httpRequest }: LogEntry): string {
  if (!httpRequest) return "";
  const { requestMethod = "", requestUrl = "", status, latency } = httpRequest;
  const path = URL.canParse(requestUrl) ? requestUrl.slice(new URL(requestUrl).origin.length) : requestUrl;
  return [requestMethod, path || "/", status, latency && showDuration(Number.parseFloat(latency))].filter(Boolean).join(" ");
}

function showDuration(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}
