import { setTimeout as sleep } from "node:timers/promises";
import { traceOf, type LogEntry, type LogQuery, type LogVerbs } from "../../cloud/logs.ts";
import type { Slow } from "./load-stats.ts";

/** What the log says of the slowest answers. */
export interface ColdStarts {
  /** Instances that became ready during the run. */
  readonly instances: number;
  /** Answers that were looked up: the slowest. */
  readonly looked: number;
  /** Of these, what the log had taken in. */
  readonly known: number;
  /** Those that waited until an instance was ready; the slowest first. */
  readonly answers: readonly Slow[];
}

type Where = Pick<LogQuery, "project" | "region" | "service">;

interface Look {
  readonly started: Date;
  readonly slowest: readonly Slow[];
  readonly signal: AbortSignal;
}

/** Cloud Logging takes entries in some seconds after they were written. */
const ATTEMPTS = 4;
const PAUSE = 3000;

/**
 * Tells the answers that waited for a new instance from those that were slow for another reason. An answer does not show it; the log does, under the
 * trace that the answer names: the request began, then an instance's startup probe succeeded, then the request ended. Throws as `readLogs` does.
 */
export async function findColdStarts(read: LogVerbs["readLogs"], where: Where, { started, slowest, signal }: Look): Promise<ColdStarts> {
  const asked = slowest.flatMap(({ trace }) => trace ?? []);
  const since = started.toISOString();
  let spans = new Map<string, Span>();
  for (let attempt = 1; asked.length > 0; attempt += 1) {
    spans = readSpans(await read({ ...where, since, traces: asked }));
    if (spans.size >= asked.length || attempt === ATTEMPTS) break;
    await sleep(PAUSE, undefined, { signal });
  }
  const starts = (await read({ ...where, since, text: "STARTUP" })).filter(isStart);
  const answers = slowest.filter(({ trace = "" }) => {
    const span = spans.get(trace);
    return span !== undefined && starts.some((start) => isWithin(start, span));
  });
  return { instances: new Set(starts.map(instanceOf)).size, looked: asked.length, known: spans.size, answers };
}

/** When a request came, and when it was answered, by Google's clock. */
interface Span {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** Where the entry names it. */
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

/** https://cloud.google.com/run/docs/configuring/healthchecks: Cloud Run says it of each instance, of the probe that it makes by itself too. */
function isStart({ logName = "", textPayload = "" }: LogEntry): boolean {
  return /varlog(?:%2F|\/)system$/i.test(logName) && /STARTUP .*probe succeeded/.test(textPayload);
}

function isWithin(start: LogEntry, { from, to, instance }: Span): boolean {
  const at = Date.parse(start.timestamp ?? "");
  return at >= from && at <= to && (instance === undefined || instance === instanceOf(start));
}

function instanceOf({ labels }: LogEntry): string | undefined {
  return labels?.["instanceId"];
}
