import { Latencies } from "./latencies.ts";

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

/** As many traces as fit in one query of the log, which can have 20,000 characters. */
const MAX_SLOWEST = 50;
/** A header with more values doesn't identify instances. */
const MAX_INSTANCES = 10_000;

/** The statistics of a run so far. */
export class LoadStats {
  readonly latencies = new Latencies();
  /** The first response of each instance, if a header identifies instances. */
  readonly firsts = new Latencies();
  readonly statuses = new Map<number, number>();
  /** By code. */
  readonly errors = new Map<string, { readonly count: number; readonly message: string }>();
  /** The slowest first. */
  readonly slowest: SlowResponse[] = [];
  readonly intervals: Interval[] = [];
  readonly #startedAt: number;
  readonly #instancePattern: RegExp | undefined;
  readonly #instances = new Set<string>();
  #interval = new Latencies();
  #intervalStartMs = 0;
  #failures = 0;

  /** `instanceHeader` is the response header that identifies the instance. */
  constructor(startedAt: number, instanceHeader?: string) {
    this.#startedAt = startedAt;
    this.#instancePattern = instanceHeader === undefined ? undefined : headerPattern(instanceHeader);
  }

  /** Adds a response; times are those of `performance.now()`. */
  addResponse(status: number, from: number, now: number, head: string): void {
    const { slowest } = this;
    const latencyMs = now - from;
    this.latencies.add(latencyMs);
    this.#interval.add(latencyMs);
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (status >= 400) this.#failures += 1;
    if (this.#isFirst(head)) this.firsts.add(latencyMs);
    if (slowest.length === MAX_SLOWEST && latencyMs <= (slowest[MAX_SLOWEST - 1] as SlowResponse).latencyMs) return;
    slowest.push({ latencyMs, status, atMs: from - this.#startedAt, trace: TRACE_HEADER.exec(head)?.[1] });
    slowest.sort((a, b) => b.latencyMs - a.latencyMs).splice(MAX_SLOWEST);
  }

  /** Adds a request that got no response. */
  addFailure(code: string, message: string): void {
    this.errors.set(code, { count: (this.errors.get(code)?.count ?? 0) + 1, message });
    this.#failures += 1;
  }

  /** Ends an interval, and begins the next one. */
  endInterval(now: number): Interval {
    const { count: answered, max: maxMs } = this.#interval;
    const [p50Ms, p99Ms] = [this.#interval.percentile(50), this.#interval.percentile(99)];
    const ended = { atMs: this.#intervalStartMs, answered, failed: this.#failures, p50Ms, p99Ms, maxMs };
    this.intervals.push(ended);
    this.#interval = new Latencies();
    this.#failures = 0;
    this.#intervalStartMs = now - this.#startedAt;
    return ended;
  }

  #isFirst(head: string): boolean {
    const name = this.#instancePattern?.exec(head)?.[1];
    if (name === undefined || this.#instances.has(name) || this.#instances.size >= MAX_INSTANCES) return false;
    this.#instances.add(name);
    return true;
  }
}

/** https://cloud.google.com/trace/docs/trace-context#legacy-http-header */
const TRACE_HEADER = /\r\nx-cloud-trace-context:[ \t]*([0-9a-f]{32})/i;

function headerPattern(name: string): RegExp {
  return new RegExp(`\\r\\n${name.replaceAll(/[$*+.^|]/g, String.raw`\$&`)}:[ \\t]*([^\\r]*)`, "i");
}
