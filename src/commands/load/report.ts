import type { Latencies } from "./latencies.ts";
import { PERCENTILES } from "./latencies.ts";
import type { Amount } from "./options.ts";
import type { ColdStarts } from "./cold-starts.ts";
import type { Outcome } from "./run-load.ts";

/** What a report is about, besides what came of it. */
export interface About {
  readonly url: URL;
  readonly method: string;
  readonly audience: string;
  readonly principal: string | undefined;
  readonly amount: Amount;
  /** The call before the run; times in milliseconds. */
  readonly check: { readonly status: number; readonly duration: number } | undefined;
  readonly instanceHeader: string | undefined;
  /** When the first request was sent. */
  readonly started: Date;
  readonly endedBy: "requests" | "duration" | "interrupt" | "timeout" | "error";
  readonly tokens: number;
  /** Undefined where the log was not asked. */
  readonly coldStarts: ColdStarts | undefined;
}

/** What `--json` prints: see docs/json.md. */
export function describeLoad(about: About, outcome: Outcome) {
  const { url, method, audience, principal, amount, check, instanceHeader, started, endedBy, tokens, coldStarts } = about;
  const { tally, duration, sent, unsent, abandoned, received } = outcome;
  const { latencies, firsts, statuses, errors, slowest, intervals } = tally;
  return {
    url: url.href,
    method,
    audience,
    principal: principal ?? null,
    check: check ? { status_code: check.status, duration_ms: round(check.duration) } : null,
    concurrency: amount.concurrency,
    rate: amount.rate ?? null,
    started: started.toISOString(),
    duration_ms: round(duration),
    ended_by: endedBy,
    requests: { sent, answered: latencies.count, failed: failures(outcome), unsent, abandoned },
    requests_per_second: round(perSecond(outcome)),
    received_bytes: received,
    tokens,
    status_codes: Object.fromEntries([...statuses].toSorted(([a], [b]) => a - b)),
    errors: Object.fromEntries([...errors].map(([code, { count }]) => [code, count])),
    latency_ms: latencies.count > 0 ? summarize(latencies) : null,
    new_instances:
      instanceHeader === undefined
        ? null
        : { header: instanceHeader, count: firsts.count, latency_ms: firsts.count > 0 ? summarize(firsts) : null },
    cold_starts: coldStarts ? describeColdStarts(coldStarts) : null,
    slowest: slowest.slice(0, MOST_SHOWN).map(({ latency, status, at, trace }) => ({
      latency_ms: round(latency),
      status_code: status,
      at_ms: round(at),
      trace: trace ?? null,
    })),
    histogram: gather(latencies).map(({ upTo, count }) => ({ up_to_ms: upTo, count })),
    timeline: intervals.map(({ at, answered, failed, p50, p99, max }) => ({
      at_ms: round(at),
      answered,
      failed,
      p50_ms: round(p50),
      p99_ms: round(p99),
      max_ms: round(max),
    })),
  };
}

const MOST_SHOWN = 10;

function describeColdStarts({ instances, looked, known, answers }: ColdStarts) {
  const latencies = answers.map(({ latency }) => round(latency));
  return {
    instances,
    answers: answers.length,
    latency_ms: answers.length > 0 ? { min: latencies.at(-1), max: latencies[0] } : null,
    traces: answers.map(({ trace }) => trace),
    looked_up: looked,
    found_in_log: known,
  };
}

/** Requests without an answer, or with a status from 400 on. What was under way when the run was broken off is neither. */
export function failures({ tally: { statuses, errors } }: Pick<Outcome, "tally">): number {
  let count = 0;
  for (const [status, number] of statuses) if (status >= 400) count += number;
  for (const { count: number } of errors.values()) count += number;
  return count;
}

export function perSecond({ tally, duration }: Pick<Outcome, "tally" | "duration">): number {
  return duration > 0 ? (tally.latencies.count * 1000) / duration : 0;
}

/** `p99_9` for 99.9 */
function summarize(latencies: Latencies): Readonly<Record<string, number>> {
  const { min, mean, max } = latencies;
  const percentiles = PERCENTILES.map((percent) => [`p${String(percent).replace(".", "_")}`, round(latencies.percentile(percent))]);
  return { min: round(min), mean: round(mean), ...Object.fromEntries(percentiles), max: round(max) };
}

/** Thousandths. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** What a decade is divided into. */
const STEPS = [1, 1.5, 2, 3, 5, 7];

/** How many answers took how long at most, in milliseconds, in few steps; those between that hold nothing are there too. */
export function gather(latencies: Latencies): readonly { readonly upTo: number; readonly count: number }[] {
  const found = new Map<number, { readonly upTo: number; count: number }>();
  const steps = Array.from({ length: 9 * STEPS.length }, (_, index) =>
    Number(`${STEPS[index % STEPS.length]}e${Math.floor(index / STEPS.length) - 3}`),
  );
  for (const { upTo, count } of latencies.buckets()) {
    const step = steps.findIndex((bound) => upTo <= bound);
    const known = found.get(step);
    if (known) known.count += count;
    else found.set(step, { upTo: steps[step] as number, count });
  }
  const indices = [...found.keys()];
  return steps
    .slice(Math.min(...indices), Math.max(...indices) + 1)
    .map((upTo, index) => found.get(index + Math.min(...indices)) ?? { upTo, count: 0 });
}
