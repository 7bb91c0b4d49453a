import type { Cloud } from "../../cloud/cloud.ts";
import { traceOf, type LogEntry, type LogQuery, type Severity } from "../../cloud/logs.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { arrange, isRequest, nameOf } from "./arrange.ts";
import { firstLook, followEntries } from "./follow.ts";
import { showEntry } from "./format-entry.ts";
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

const A_DAY = 24 * 60 * 60_000;
/** Of traces that are asked for at once: a query may have 20,000 characters. */
const MOST_TRACES = 50;
/** Milliseconds between two looks. A project may read 60 times a minute: https://cloud.google.com/logging/quotas; and each gcloud takes a second to start. */
const INTERVAL = { api: 2000, gcloud: 5000 } as const;

/** Shows what a service and Cloud Run wrote, each request with what was written during it; with `--follow` also what is to come. */
export async function logs(context: Context, name: string | undefined, flags: LogFlags): Promise<void> {
  const { settings, terminal, signal } = context;
  const service = settings.require("service", name);
  const { follow, limit, severity, grep: text, revision } = flags;
  const query: LogQuery = {
    service,
    project: settings.require("project"),
    region: settings.require("region"),
    since: flags.since ?? new Date(Date.now() - A_DAY).toISOString(),
    ...(severity !== undefined && { severity }),
    ...(text !== undefined && { text }),
    ...(revision !== undefined && { revision: revision.startsWith(`${service}-`) ? revision : `${service}-${revision}` }),
  };
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("readLogs", follow ? firstLook(query, limit) : { ...query, limit }));
  if (!follow) return show(context, cloud, query, limit);

  const intervalMs = flags.intervalMs ?? INTERVAL[cloud.via];
  terminal.debug(`asking for new entries every ${intervalMs / 1000} s; an entry is shown once, whichever look finds it`);
  const read: Cloud["readLogs"] = (asked) => cloud.readLogs(asked);
  try {
    for await (const entries of followEntries(read, { query, limit, interval: intervalMs, signal, note: terminal.note })) {
      if (terminal.json) for (const entry of entries) terminal.print(`${JSON.stringify(entry, redacted)}\n`);
      else print(context, service, entries, []);
    }
  } catch (error) {
    // What is followed ends when it is told to: that is no failure.
    if (!signal.aborted) throw error;
  }
}

async function show(context: Context, cloud: Cloud, query: LogQuery, limit: number): Promise<void> {
  const { terminal } = context;
  const entries = await terminal.task(`Reading the log of ${query.service}`, () =>
    limit === 0 ? Promise.resolve([]) : cloud.readLogs({ ...query, limit }),
  );
  if (entries.length === 0) await sayWhyNone(context, cloud, query);
  if (terminal.json) return terminal.print(`${JSON.stringify(entries, redacted, 2)}\n`);
  print(context, query.service, entries, await readAround(cloud, query, entries));
}

/** What belongs to the entries that were found: of a choice of them all that was written during the same requests, else the requests that are missing. */
async function readAround(cloud: Cloud, query: LogQuery, entries: readonly LogEntry[]): Promise<readonly LogEntry[]> {
  const { severity, text, ...rest } = query;
  const isChoice = severity !== undefined || text !== undefined;
  const known = new Set(isChoice ? [] : entries.filter(isRequest).map(traceOf));
  const traces = [...new Set(entries.map(traceOf))].filter((trace) => trace !== undefined && !known.has(trace)) as string[];
  if (traces.length === 0) return [];
  const found = await cloud.readLogs({ ...rest, traces: traces.slice(-MOST_TRACES), limit: 1000 });
  const have = new Set(entries.map(nameOf));
  return found.filter((entry) => !have.has(nameOf(entry)) && (isChoice || isRequest(entry)));
}

function print({ terminal }: Context, service: string, entries: readonly LogEntry[], around: readonly LogEntry[]): void {
  const context = new Set(around);
  const all = [...entries, ...around].toSorted((a, b) => ((a.timestamp ?? "") < (b.timestamp ?? "") ? -1 : 1));
  for (const { entry, isUnderRequest } of arrange(all))
    terminal.print(`${showEntry(entry, { style: terminal.style, service, isUnderRequest, isContext: context.has(entry) })}\n`);
}

/** A service that is not there has no entries, either. Throws NOT_FOUND for it. */
async function sayWhyNone({ terminal }: Context, cloud: Cloud, query: LogQuery): Promise<void> {
  await cloud.describe(query).catch((error: unknown) => {
    if (error instanceof CliError && error.code === "NOT_FOUND") throw error;
  });
  terminal.note(`There is nothing of that kind since ${query.since}. Look further back with --since 7d.`);
}

/** What a service wrote may hold a token of its caller's. */
function redacted(_: string, value: unknown): unknown {
  return typeof value === "string" ? redact(value) : value;
}
