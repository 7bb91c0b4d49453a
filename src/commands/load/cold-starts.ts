import { setTimeout as sleep } from "node:timers/promises";
import { traceOf, type LogEntry, type LogQuery, type LogVerbs } from "../../cloud/logs.ts";
import type { SlowResponse } from "./load-stats.ts";

/** What the log says about the slowest responses. */
export interface ColdStarts {
  /** Instances that became ready during the run. */
  readonly instances: number;
  /** The number of slow responses that were looked up. */
  readonly lookedUp: number;
  /** How many of them the log contains already. */
  readonly foundInLog: number;
  /** Those that waited until an instance was ready; the slowest first. */
  readonly responses: readonly SlowResponse[];
}

type ServiceLog = Pick<LogQuery, "project" | "region" | "service">;

interface ColdStartOptions {
  readonly started: Date;
  readonly slowest: readonly SlowResponse[];
  readonly signal: AbortSignal;
}

/** Cloud Logging ingests entries some seconds after they were written. */
const MAX_ATTEMPTS = 4;
const PAUSE_MS = 3000;

/**
 * Finds the slow responses that waited for a new instance. Only the log shows that, under the response's trace: the request began, then an instance's startup
 * probe succeeded, then the request ended. Throws as `readLogs` does.
 */
export async function findColdStarts(
  read: LogVerbs["readLogs"],
  serviceLog: ServiceLog,
  { started, slowest, signal }: ColdStartOptions,
): Promise<ColdStarts> {
  const traces = slowest.flatMap(({ trace }) => trace ?? []);
  const since = started.toISOString();
  let spans = new Map<string, Span>();
  for (let attempt = 1; traces.length > 0; attempt += 1) {
    spans = readSpans(await read({ ...serviceLog, since, traces }));
    if (spans.size >= traces.length || attempt === MAX_ATTEMPTS) break;
    await sleep(PAUSE_MS, undefined, { signal });
  }
  const starts = (await read({ ...serviceLog, since, text: "STARTUP" })).filter(isStart);
  const responses = slowest.filter(({ trace = "" }) => {
    const span = spans.get(trace);
    return span !== undefined && starts.some((start) => isWithin(start, span));
  });
  return { instances: new Set(starts.map(instanceOf)).size, lookedUp: traces.length, foundInLog: spans.size, responses };
}

/** When a request began and ended, by Google's clock. */
interface Span {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** If the entry has it. */
  readonly instance: string | undefined;
}

function readSpans(entries: readonly LogEntry[]): Map<string, Span> {
  const spans = new Map<string, Span>();
  for (const entry of entries) {
    const trace = traceOf(entry);
    const latency = Number.parseFloat(entry.httpRequest?.latency ?? "");
    const from = Date.parse(entry.timestamp ?? "");
    if (trace === undefined || Number.isNaN(latency) || Number.isNaN(from)) continue;
    spans.set(trace, { from, to: from + latency * 1000, instance: instanceOf(entry) });
  }
  return spans;
}

/** https://cloud.google.com/run/docs/configuring/healthchecks: Cloud Run logs this for each instance, for its default probe too. */
function isStart({ logName = "", textPayload = "" }: LogEntry): boolean {
  return /varlog(?:%2F|\/)system$/i.test(logName) && /STARTUP .*probe succeeded/.test(textPayload);
}

function isWithin(start: LogEntry, { from, to, instance }: Span): boolean {
  const readyAt = Date.parse(start.timestamp ?? "");
  return readyAt >= from && readyAt <= to && (instance === undefined || instance === instanceOf(start));
}

function instanceOf({ labels }: LogEntry): string | undefined {
  return labels?.["instanceId"];
}
