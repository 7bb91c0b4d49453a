import { createLatencies, type Latencies } from "./latencies.ts";

/** An answer that took long, and the trace by which Cloud Run's log knows it. */
export interface Slow {
  /** Milliseconds. */
  readonly latency: number;
  readonly status: number;
  /** Milliseconds after the start of the run. */
  readonly at: number;
  readonly trace: string | undefined;
}

/** A piece of the run. */
export interface Interval {
  /** Milliseconds after the start of the run. */
  readonly at: number;
  readonly answered: number;
  /** Without an answer, or with a status from 400 on. */
  readonly failed: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What has come of a run so far. */
export interface Tally {
  /** Takes an answer down; times are those of `performance.now()`. */
  answered(status: number, from: number, now: number, head: string): void;
  /** Takes down a request that got no answer. */
  failed(code: string, sentence: string): void;
  /** Ends an interval, and begins the next one. */
  cut(now: number): Interval;
  readonly latencies: Latencies;
  /** The first answer of each instance; none where no header names one. */
  readonly firsts: Latencies;
  readonly statuses: ReadonlyMap<number, number>;
  /** By code, with a sentence. */
  readonly errors: ReadonlyMap<string, { readonly count: number; readonly sentence: string }>;
  /** The slowest first. */
  readonly slowest: readonly Slow[];
  readonly intervals: readonly Interval[];
}

interface TallyOptions {
  readonly start: number;
  /** The header by which the service names the instance that answers. */
  readonly instanceHeader: string | undefined;
}

/** As many traces as the log is asked for at once: a query may have 20,000 characters. */
const MOST_SLOW = 50;
/** A header that names a thing of its own in every answer names no instance. */
const MOST_INSTANCES = 10_000;

export function createTally({ start, instanceHeader }: TallyOptions): Tally {
  const latencies = createLatencies();
  const firsts = createLatencies();
  const statuses = new Map<number, number>();
  const errors = new Map<string, { count: number; sentence: string }>();
  const instances = new Set<string>();
  const slowest: Slow[] = [];
  const intervals: Interval[] = [];
  const named = instanceHeader === undefined ? undefined : headerPattern(instanceHeader);
  let piece = createLatencies();
  let at = 0;
  let failures = 0;

  const isFirst = (head: string): boolean => {
    const name = named?.exec(head)?.[1];
    if (name === undefined || instances.has(name) || instances.size >= MOST_INSTANCES) return false;
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
    answered(status, from, now, head) {
      const latency = now - from;
      latencies.add(latency);
      piece.add(latency);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status >= 400) failures += 1;
      if (named && isFirst(head)) firsts.add(latency);
      if (slowest.length === MOST_SLOW && latency <= (slowest[MOST_SLOW - 1] as Slow).latency) return;
      slowest.push({ latency, status, at: from - start, trace: TRACE.exec(head)?.[1] });
      slowest.sort((a, b) => b.latency - a.latency).splice(MOST_SLOW);
    },
    failed(code, sentence) {
      const known = errors.get(code);
      errors.set(code, { count: (known?.count ?? 0) + 1, sentence });
      failures += 1;
    },
    cut(now) {
      const interval = {
        at,
        answered: piece.count,
        failed: failures,
        p50: piece.percentile(50),
        p99: piece.percentile(99),
        max: piece.max,
      };
      intervals.push(interval);
      piece = createLatencies();
      failures = 0;
      at = now - start;
      return interval;
    },
  };
}

/** https://cloud.google.com/trace/docs/trace-context#legacy-http-header */
const TRACE = /\r\nx-cloud-trace-context:[ \t]*([0-9a-f]{32})/i;

function headerPattern(name: string): RegExp {
  return new RegExp(`\\r\\n${name.replaceAll(/[$*+.^|]/g, String.raw`\$&`)}:[ \\t]*([^\\r]*)`, "i");
}
