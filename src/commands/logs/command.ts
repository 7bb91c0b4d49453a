import { InvalidArgumentError } from "commander";
import { SEVERITIES, type Severity } from "../../cloud/severity.ts";
import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { durationFlag, flag } from "../../context/flag.ts";
import { parseWholeNumber } from "../../context/parse-number.ts";

export const logsCommand = defineCommand({
  name: "logs",
  summary: "Show or stream a service's logs",
  description:
    "Shows a service's latest log entries: each request, followed by what the service wrote during it. " +
    "With --severity or --grep, other entries for the same requests are dimmed. " +
    "With --json, prints the Cloud Logging entries as one array, or one entry per line with --follow.",
  arguments: [argument("[service]", "Service name")],
  flags: [
    flag("-f, --follow", "Stream new entries until Ctrl-C"),
    flag("--since <time>", "Earliest time: 30m, 7d, or 2026-01-31T12:00Z (default: 1d)", { parse: parseTime }),
    flag("--severity <severity>", "Minimum severity: info, warning, error, …", { parse: parseSeverity }),
    flag("--grep <text>", "Show only entries that contain this text", { parse: parseNonEmptyText }),
    flag("-n, --limit <number>", "Maximum number of entries", { parse: parseWholeNumber, default: 100 }),
    flag("--revision <name>", "Show only entries from this revision"),
    durationFlag("--interval <duration>", "Polling interval (default: 2s, or 5s with gcloud)"),
  ],
  examples: [
    ["cloudrun-oauth logs hello"],
    ["cloudrun-oauth logs hello -f --severity warning"],
    ["cloudrun-oauth logs hello --since 7d --grep timeout --json"],
  ],
  load: async () => (await import("./logs.ts")).logs,
});

/** Parses a time, or how long ago it was; returns RFC 3339. */
function parseTime(text: string): string {
  const [, amount, unit = "s"] = /^(\d+(?:\.\d+)?)([smhdw])?$/.exec(text) ?? [];
  const seconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 7 * 86_400 }[unit as "s"];
  const isTime = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/i.test(text);
  const time = amount === undefined ? (isTime ? Date.parse(text) : Number.NaN) : Date.now() - Number(amount) * seconds * 1000;
  // Cloud Logging has no entries from before 1970, and a Date goes no further.
  if (!(time > 0 && time < 8.64e15)) throw new InvalidArgumentError("Examples: 90s, 30m, 7d, 2026-01-31T12:00Z.");
  return new Date(time).toISOString();
}

function parseSeverity(text: string): Severity {
  const name = text.toUpperCase().replace(/^WARN$/, "WARNING");
  const severity = SEVERITIES.find((known) => known === name);
  if (!severity) throw new InvalidArgumentError(`Allowed values: ${SEVERITIES.join(", ").toLowerCase()}.`);
  return severity;
}

function parseNonEmptyText(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("Use a text that isn't empty.");
  return text;
}
