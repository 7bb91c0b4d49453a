import { createLatencies, type Latencies } from "./latencies.ts";

/** A slow response, with its trace in Cloud Run's log. */
export interface SlowResponse {
  readonly latencyMs: number;
  readonly status: number;
  /** After the start of the run. */
  readonly atMs: number;
  readonly trace: string | undefined;
}

/** A part of the run. */
export interface Interval {
  /** After the start of the run. */
  readonly atMs: number;
  readonly answered: number;
  /** Requests without a response, or with a status of 400 or above. */
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** The statistics of a run so far. */
export interface LoadStats {
  /** Adds a response; times are those of `performance.now()`. */
  addResponse(status: number, from: number, now: number, head: string): void;
  /** Adds a request that got no response. */
  addFailure(code: string, message: string): void;
  /** Ends an interval, and begins the next one. */
  endInterval(now: number): Interval;
  readonly latencies: Latencies;
  /** The first response of each instance, if a header identifies instances. */
  readonly firsts: Latencies;
  readonly statuses: ReadonlyMap<number, number>;
  /** By code. */
  readonly errors: ReadonlyMap<string, { readonly count: number; readonly message: string }>;
  /** The slowest first. */
  readonly slowest: readonly SlowResponse[];
  readonly intervals: readonly Interval[];
}

interface LoadStatsOptions {
  readonly start: number;
  /** The response header that identifies the instance. */
  readonly instanceHeader: string | undefined;
}

/** As many traces as fit in one query of the log, which can have 20,000 characters. */
const MAX_SLOWEST = 50;
/** A header with more values doesn't identify instances. */
const MAX_INSTANCES = 10_000;

export function createLoadStats({ start, instanceHeader }: LoadStatsOptions): LoadStats {
  const latencies = createLatencies();
  const firsts = createLatencies();
  const statuses = new Map<number, number>();
  const errors = new Map<string, { count: number; message: string }>();
  const instances = new Set<string>();
  const slowest: SlowResponse[] = [];
  const intervals: Interval[] = [];
  const instancePattern = instanceHeader === undefined ? undefined : headerPattern(instanceHeader);
  let interval = createLatencies();
  let intervalStartMs = 0;
  let failures = 0;

  const isFirst = (head: string): boolean => {
    const name = instancePattern?.exec(head)?.[1];
    if (name === undefined || instances.has(name) || instances.size >= MAX_INSTANCES) return false;
    instances.add(name);
    return true;
  };

  return {
    latencies,
    firsts,
    statuses,
    errors,
    slowest,
    intervals,
    addResponse(status, from, now, head) {
      const latencyMs = now - from;
      latencies.add(latencyMs);
      interval.add(latencyMs);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status >= 400) failures += 1;
      if (instancePattern && isFirst(head)) firsts.add(latencyMs);
      if (slowest.length === MAX_SLOWEST && latencyMs <= (slowest[MAX_SLOWEST - 1] as SlowResponse).latencyMs) return;
      slowest.push({ latencyMs, status, atMs: from - start, trace: TRACE_HEADER.exec(head)?.[1] });
      slowest.sort((a, b) => b.latencyMs - a.latencyMs).splice(MAX_SLOWEST);
    },
    addFailure(code, message) {
      errors.set(code, { count: (errors.get(code)?.count ?? 0) + 1, message });
      failures += 1;
    },
    endInterval(now) {
      const ended = {
        atMs: intervalStartMs,
        answered: interval.count,
        failed: failures,
        p50Ms: interval.percentile(50),
        p99Ms: interval.percentile(99),
        maxMs: interval.max,
      };
      intervals.push(ended);
      interval = createLatencies();
      failures = 0;
      intervalStartMs = now - start;
      return ended;
    },
  };
}

/** https://cloud.google.com/trace/docs/trace-context#legacy-http-header */
const TRACE_HEADER = /\r\nx-cloud-trace-context:[ \t]*([0-9a-f]{32})/i;

function headerPattern(name: string): RegExp {
  return new RegExp(`\\r\\n${name.replaceAll(/[$*+.^|]/g, String.raw`\$&`)}:[ \\t]*([^\\r]*)`, "i");
}
