import { InvalidArgumentError } from "commander";
import { SEVERITIES, type Severity } from "../../cloud/severity.ts";
import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { durationFlag, flag } from "../../context/flag.ts";
import { parseWholeNumber } from "../../context/parse-number.ts";

export const logsCommand = defineCommand({
  name: "logs",
  summary: "show what a service wrote, request by request",
  description:
    "Show the latest log entries of a service: each request with what the service wrote during it (by its trace), and what Cloud Run has to say.\n" +
    "With --severity or --grep, what was written during the same requests is shown too, dimmed.\n" +
    "With --json the entries themselves, as Cloud Logging has them: one list, or one line each where it follows.",
  arguments: [argument("[service]", "the service")],
  flags: [
    flag("-f, --follow", "go on with the entries to come, until Ctrl-C"),
    flag("--since <time>", "not before this: 30m, 12h, 7d, or a time as 2026-01-31T12:00Z (default: 1d)", { parse: parseTime }),
    flag("--severity <severity>", "of this severity and above: info, warning, error …", { parse: parseSeverity }),
    flag("--grep <text>", "with this text in what was written, or in the URL that was called", { parse: parseNonEmptyText }),
    flag("-n, --limit <number>", "so many entries at most, the latest", { parse: parseWholeNumber, default: 100 }),
    flag("--revision <name>", "of this revision: hello-00002-abc, or 00002-abc"),
    durationFlag("--interval <duration>", "how often to look for new ones (default: 2s; by gcloud 5s)"),
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
  if (!(time > 0 && time < 8.64e15)) throw new InvalidArgumentError("Say it as 90s, 30m, 12h, 7d, or as a time: 2026-01-31T12:00Z.");
  return new Date(time).toISOString();
}

function parseSeverity(text: string): Severity {
  const name = text.toUpperCase().replace(/^WARN$/, "WARNING");
  const severity = SEVERITIES.find((known) => known === name);
  if (!severity) throw new InvalidArgumentError(`Say one of ${SEVERITIES.join(", ").toLowerCase()}.`);
  return severity;
}

function parseNonEmptyText(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("Say a text.");
  return text;
}
