import type { Latencies } from "./latencies.ts";
import { PERCENTILES } from "./latencies.ts";
import type { LoadStats } from "./load-stats.ts";
import type { LoadPlan } from "./options.ts";
import type { ColdStarts } from "./cold-starts.ts";
import type { Outcome } from "./run-load.ts";

/** The facts of a run besides its outcome. */
export interface RunInfo {
  readonly url: URL;
  readonly method: string;
  readonly audience: string;
  readonly principal: string | undefined;
  readonly plan: LoadPlan;
  /** The call before the run. */
  readonly check: { readonly status: number; readonly durationMs: number } | undefined;
  readonly instanceHeader: string | undefined;
  /** When the first request was sent. */
  readonly started: Date;
  readonly endedBy: "requests" | "duration" | "interrupt" | "timeout" | "error";
  readonly tokens: number;
  /** Undefined if the log was not read. */
  readonly coldStarts: ColdStarts | undefined;
}

/** The document that `--json` prints: see docs/json.md. */
export function describeLoad(run: RunInfo, outcome: Outcome) {
  const { url, method, audience, principal, plan, check, instanceHeader, started, endedBy, tokens, coldStarts } = run;
  const { stats, durationMs, sent, unsent, abandoned, bytesReceived } = outcome;
  const { latencies, firsts, statuses, errors, slowest, intervals } = stats;
  return {
    url: url.href,
    method,
    audience,
    principal: principal ?? null,
    check: check ? { status_code: check.status, duration_ms: round(check.durationMs) } : null,
    concurrency: plan.concurrency,
    rate: plan.rate ?? null,
    started: started.toISOString(),
    duration_ms: round(durationMs),
    ended_by: endedBy,
    requests: { sent, answered: latencies.count, failed: countFailures(stats), unsent, abandoned },
    requests_per_second: round(responsesPerSecond(outcome)),
    received_bytes: bytesReceived,
    tokens,
    status_codes: Object.fromEntries([...statuses].toSorted(([a], [b]) => a - b)),
    errors: Object.fromEntries([...errors].map(([code, { count }]) => [code, count])),
    latency_ms: latencies.count > 0 ? summarize(latencies) : null,
    new_instances:
      instanceHeader === undefined
        ? null
        : { header: instanceHeader, count: firsts.count, latency_ms: firsts.count > 0 ? summarize(firsts) : null },
    cold_starts: coldStarts ? describeColdStarts(coldStarts) : null,
    slowest: slowest.slice(0, MAX_SLOWEST_SHOWN).map(({ latencyMs, status, atMs, trace }) => ({
      latency_ms: round(latencyMs),
      status_code: status,
      at_ms: round(atMs),
      trace: trace ?? null,
    })),
    histogram: groupBuckets(latencies).map(({ upToMs, count }) => ({ up_to_ms: upToMs, count })),
    timeline: intervals.map(({ atMs, answered, failed, p50Ms, p99Ms, maxMs }) => ({
      at_ms: round(atMs),
      answered,
      failed,
      p50_ms: round(p50Ms),
      p99_ms: round(p99Ms),
      max_ms: round(maxMs),
    })),
  };
}

const MAX_SLOWEST_SHOWN = 10;

function describeColdStarts({ instances, lookedUp, foundInLog, responses }: ColdStarts) {
  const latencies = responses.map(({ latencyMs }) => round(latencyMs));
  return {
    instances,
    answers: responses.length,
    latency_ms: responses.length > 0 ? { min: latencies.at(-1), max: latencies[0] } : null,
    traces: responses.map(({ trace }) => trace),
    looked_up: lookedUp,
    found_in_log: foundInLog,
  };
}

/** Requests without a response, or with a status of 400 or above, without those that were in progress when the run was interrupted. */
export function countFailures({ statuses, errors }: Pick<LoadStats, "statuses" | "errors">): number {
  let total = 0;
  for (const [status, count] of statuses) if (status >= 400) total += count;
  for (const { count } of errors.values()) total += count;
  return total;
}

export function responsesPerSecond({ stats, durationMs }: Pick<Outcome, "stats" | "durationMs">): number {
  return durationMs > 0 ? (stats.latencies.count * 1000) / durationMs : 0;
}

/** The keys are like `p99_9` for 99.9. */
function summarize(latencies: Latencies): Readonly<Record<string, number>> {
  const { min, mean, max } = latencies;
  const percentiles = PERCENTILES.map((percent) => [`p${String(percent).replace(".", "_")}`, round(latencies.percentile(percent))]);
  return { min: round(min), mean: round(mean), ...Object.fromEntries(percentiles), max: round(max) };
}

/** Rounds to thousandths. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** The steps within a power of ten. */
const STEPS = [1, 1.5, 2, 3, 5, 7];

/** The histogram with few, wide buckets; empty ones between others are included. */
export function groupBuckets(latencies: Latencies): readonly { readonly upToMs: number; readonly count: number }[] {
  const groups = new Map<number, { readonly upToMs: number; count: number }>();
  const steps = Array.from({ length: 9 * STEPS.length }, (_, index) =>
    Number(`${STEPS[index % STEPS.length]}e${Math.floor(index / STEPS.length) - 3}`),
  );
  for (const { upToMs, count } of latencies.buckets()) {
    const step = steps.findIndex((bound) => upToMs <= bound);
    const group = groups.get(step);
    if (group) group.count += count;
    else groups.set(step, { upToMs: steps[step] as number, count });
  }
  const indices = [...groups.keys()];
  return steps
    .slice(Math.min(...indices), Math.max(...indices) + 1)
    .map((upToMs, index) => groups.get(index + Math.min(...indices)) ?? { upToMs, count: 0 });
}
