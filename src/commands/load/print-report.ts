import type { ColdStarts } from "./cold-starts.ts";
import { PERCENTILES, type Latencies } from "./latencies.ts";
import { countFailures, groupBuckets, responsesPerSecond, type RunInfo } from "./report.ts";
import type { Outcome } from "./run-load.ts";

type Rows = readonly (readonly string[])[];

/** Characters of the longest bar. */
const MAX_BAR_WIDTH = 40;

/** The table of a run: requests, responses, and latencies. */
export function formatLoad({ plan, check, instanceHeader, coldStarts }: RunInfo, outcome: Outcome): Rows {
  const { stats, durationMs, sent, unsent, abandoned } = outcome;
  const { latencies, firsts, statuses, errors, slowest } = stats;
  const [slow] = slowest;
  const failed = countFailures(stats);
  const rows: string[][] = [
    ["REQUESTS", `${formatNumber(sent)} in ${(durationMs / 1000).toFixed(1)} s over ${formatCount(plan.concurrency, "connection")}`],
    ["A SECOND", `${responsesPerSecond(outcome).toFixed(1)}${plan.rate === undefined ? "" : ` of ${plan.rate}`}`],
    ["FAILED", `${formatNumber(failed)}${failed > 0 ? ` (${((failed / sent) * 100).toFixed(2)} %)` : ""}`],
  ];
  for (const [status, number] of [...statuses].toSorted(([a], [b]) => a - b)) rows.push([String(status), formatNumber(number)]);
  for (const [code, { count: number, message }] of errors) rows.push([code, `${formatNumber(number)}  ${message}`]);
  if (unsent > 0) rows.push(["NOT SENT", `${formatNumber(unsent)}: no connection was free`]);
  if (abandoned > 0) rows.push(["BROKEN OFF", formatNumber(abandoned)]);
  if (check) rows.push(["FIRST CALL", `${formatDuration(check.durationMs)}, not counted`]);
  if (latencies.count === 0) return rows;
  rows.push(["LATENCY", formatPercentiles(latencies)], ["MEAN", formatDuration(latencies.mean)]);
  if (instanceHeader !== undefined) {
    rows.push(["INSTANCES", `${formatCount(firsts.count, "new one")} by ${instanceHeader}`]);
    if (firsts.count > 0) rows.push(["THEIR FIRST", formatPercentiles(firsts)]);
  }
  if (coldStarts) rows.push(["COLD STARTS", formatColdStarts(coldStarts)]);
  if (slow?.trace !== undefined) rows.push(["SLOWEST", `${formatDuration(slow.latencyMs)}, trace ${slow.trace}`]);
  return rows;
}

function formatColdStarts({ instances, lookedUp, foundInLog, responses }: ColdStarts): string {
  const missing = foundInLog < lookedUp ? `; ${formatNumber(lookedUp - foundInLog)} of them are not in the log yet` : "";
  const times =
    responses.length > 0 ? `, ${formatDuration(responses.at(-1)?.latencyMs ?? 0)} to ${formatDuration(responses[0]?.latencyMs ?? 0)}` : "";
  return `${formatCount(instances, "new instance")}; ${formatNumber(responses.length)} of the ${formatNumber(lookedUp)} slowest answers waited for one${times}${missing}`;
}

/** The histogram, one bar per line. */
export function formatHistogram(latencies: Latencies): Rows {
  const groups = groupBuckets(latencies);
  const largest = Math.max(...groups.map(({ count }) => count));
  return groups.map(({ upToMs, count }) => [
    `≤ ${formatDuration(upToMs)}`,
    formatNumber(count),
    "█".repeat(Math.ceil((count / largest) * MAX_BAR_WIDTH)),
  ]);
}

/** One line about a run in progress. */
export function formatProgress({ latencies }: { readonly latencies: Latencies }, perSecond: number, failed: number): string {
  const failures = failed > 0 ? `, ${formatNumber(failed)} failed` : "";
  const times = `p50 ${formatDuration(latencies.percentile(50))}, p99 ${formatDuration(latencies.percentile(99))}`;
  return `${formatNumber(latencies.count)} answers, ${perSecond.toFixed(0)} a second, ${times}${failures}`;
}

function formatPercentiles(latencies: Latencies): string {
  const named = PERCENTILES.map((percent) => `p${percent} ${formatDuration(latencies.percentile(percent))}`);
  return [`min ${formatDuration(latencies.min)}`, ...named, `max ${formatDuration(latencies.max)}`].join("  ");
}

/** In milliseconds, or in seconds from ten on. */
export function formatDuration(durationMs: number): string {
  if (durationMs >= 10_000) return `${Number((durationMs / 1000).toPrecision(3))} s`;
  return `${Number(durationMs.toPrecision(3))} ms`;
}

function formatCount(number: number, thing: string): string {
  return `${formatNumber(number)} ${thing}${number === 1 ? "" : "s"}`;
}

function formatNumber(number: number): string {
  return number.toLocaleString("en-US");
}
