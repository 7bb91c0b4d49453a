import type { Cloud } from "../../cloud/cloud.ts";
import { traceOf, type LogEntry, type LogQuery } from "../../cloud/logs.ts";
import type { Severity } from "../../cloud/severity.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { groupByRequest, isRequest, entryId } from "./group-by-request.ts";
import { firstQuery, followEntries } from "./follow.ts";
import { formatEntry } from "./format-entry.ts";
import { printPlan } from "../../context/print-plan.ts";
import { redact } from "../../errors/redact.ts";

interface LogFlags {
  readonly follow?: boolean;
  /** RFC 3339. */
  readonly since?: string;
  readonly severity?: Severity;
  readonly grep?: string;
  readonly limit: number;
  readonly revision?: string;
  readonly intervalMs?: number;
}

const DEFAULT_AGE_MS = 24 * 60 * 60_000;
/** In one query, which can have 20,000 characters. */
const MAX_TRACES = 50;
/** A project can read 60 times a minute, https://cloud.google.com/logging/quotas, and gcloud takes a second to start. */
const INTERVAL_MS = { api: 2000, gcloud: 5000 } as const;

/** Shows the log entries of a service and of Cloud Run, grouped by request; with `--follow` also new ones. */
export async function logs(context: Context, name: string | undefined, flags: LogFlags): Promise<void> {
  const { settings, terminal, signal } = context;
  const service = settings.require("service", name);
  const { follow, limit, severity, grep: text, revision } = flags;
  const query: LogQuery = {
    service,
    project: settings.require("project"),
    region: settings.require("region"),
    since: flags.since ?? new Date(Date.now() - DEFAULT_AGE_MS).toISOString(),
    ...(severity !== undefined && { severity }),
    ...(text !== undefined && { text }),
    ...(revision !== undefined && { revision: revision.startsWith(`${service}-`) ? revision : `${service}-${revision}` }),
  };
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("readLogs", follow ? firstQuery(query, limit) : { ...query, limit }));
  if (!follow) return show(context, cloud, query, limit);

  const intervalMs = flags.intervalMs ?? INTERVAL_MS[cloud.via];
  terminal.debug(`reading new entries every ${intervalMs / 1000} s`);
  const read: Cloud["readLogs"] = (nextQuery) => cloud.readLogs(nextQuery);
  try {
    for await (const entries of followEntries(read, { query, limit, intervalMs, signal, note: terminal.note })) {
      if (terminal.json) for (const entry of entries) terminal.print(`${JSON.stringify(entry, redactStrings)}\n`);
      else print(context, service, entries, []);
    }
  } catch (error) {
    // Ctrl-C ends --follow without an error.
    if (!signal.aborted) throw error;
  }
}

async function show(context: Context, cloud: Cloud, query: LogQuery, limit: number): Promise<void> {
  const { terminal } = context;
  const entries = await terminal.wait(`Reading the logs for ${query.service}`, () =>
    limit === 0 ? Promise.resolve([]) : cloud.readLogs({ ...query, limit }),
  );
  if (entries.length === 0) await explainNone(context, cloud, query);
  if (terminal.json) return terminal.print(`${JSON.stringify(entries, redactStrings, 2)}\n`);
  print(context, query.service, entries, await readContext(cloud, query, entries));
}

/** Reads the context of entries: of filtered ones, all entries of the same requests; of others, the requests that are missing. */
async function readContext(cloud: Cloud, query: LogQuery, entries: readonly LogEntry[]): Promise<readonly LogEntry[]> {
  const { severity, text, ...rest } = query;
  const isFiltered = severity !== undefined || text !== undefined;
  const known = new Set(isFiltered ? [] : entries.filter(isRequest).map(traceOf));
  const traces = [...new Set(entries.map(traceOf))].filter((trace) => trace !== undefined && !known.has(trace)) as string[];
  if (traces.length === 0) return [];
  const related = await cloud.readLogs({ ...rest, traces: traces.slice(-MAX_TRACES), limit: 1000 });
  const shown = new Set(entries.map(entryId));
  return related.filter((entry) => !shown.has(entryId(entry)) && (isFiltered || isRequest(entry)));
}

function print({ terminal }: Context, service: string, entries: readonly LogEntry[], contextEntries: readonly LogEntry[]): void {
  const context = new Set(contextEntries);
  const all = [...entries, ...contextEntries].toSorted((a, b) => ((a.timestamp ?? "") < (b.timestamp ?? "") ? -1 : 1));
  for (const { entry, isUnderRequest } of groupByRequest(all))
    terminal.print(`${formatEntry(entry, { style: terminal.style, service, isUnderRequest, isContext: context.has(entry) })}\n`);
}

/** A service that doesn't exist has no entries, either: throws NOT_FOUND. */
async function explainNone({ terminal }: Context, cloud: Cloud, query: LogQuery): Promise<void> {
  await cloud.describe(query).catch((error: unknown) => {
    if (error instanceof CliError && error.code === "NOT_FOUND") throw error;
  });
  const isFiltered = query.severity !== undefined || query.text !== undefined || query.revision !== undefined;
  const entries = isFiltered ? "matching log entries" : "log entries";
  terminal.note(`No ${entries} for ${query.service} since ${query.since}. To search further back, use --since 7d.`);
}

/** A service can log the token of its caller. */
function redactStrings(_: string, value: unknown): unknown {
  return typeof value === "string" ? redact(value) : value;
}
