import { formatDuration } from "../../terminal/duration.ts";
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
    ["REQUESTS", `${formatNumber(sent)} in ${formatDuration(durationMs)} over ${formatCount(plan.concurrency, "connection")}`],
    [
      "REQUESTS/S",
      `${formatNumber(responsesPerSecond(outcome), 1)}${plan.rate === undefined ? "" : ` (target: ${formatNumber(plan.rate, 1)})`}`,
    ],
    ["FAILED", `${formatNumber(failed)}${failed > 0 ? ` (${((failed / sent) * 100).toFixed(2)}%)` : ""}`],
  ];
  for (const [status, number] of [...statuses].toSorted(([a], [b]) => a - b)) rows.push([String(status), formatNumber(number)]);
  for (const [code, { count: number, message }] of errors) rows.push([code, `${formatNumber(number)}  ${message}`]);
  if (unsent > 0) rows.push(["NOT SENT", `${formatNumber(unsent)} (all connections were busy)`]);
  if (abandoned > 0) rows.push(["ABANDONED", formatNumber(abandoned)]);
  if (check) rows.push(["WARM-UP", `${formatLatency(check.durationMs)} (excluded)`]);
  if (latencies.count === 0) return rows;
  rows.push(
    ["LATENCY", formatPercentiles(latencies)],
    ["RANGE", `min ${formatLatency(latencies.min)}  mean ${formatLatency(latencies.mean)}  max ${formatLatency(latencies.max)}`],
  );
  if (instanceHeader !== undefined) {
    rows.push(["INSTANCES", `${formatNumber(firsts.count)} (by ${instanceHeader})`]);
    if (firsts.count > 0) rows.push(["FIRST CALLS", formatPercentiles(firsts)]);
  }
  if (coldStarts) rows.push(...formatColdStarts(coldStarts));
  if (slow?.trace !== undefined) rows.push(["SLOWEST", `${formatLatency(slow.latencyMs)}, trace ${slow.trace}`]);
  return rows;
}

function formatColdStarts({ instances, lookedUp, foundInLog, responses }: ColdStarts): string[][] {
  const [slowest, fastest] = [responses[0], responses.at(-1)];
  const times = slowest && fastest ? ` (${formatLatency(fastest.latencyMs)} to ${formatLatency(slowest.latencyMs)})` : "";
  return [
    ["NEW INSTANCES", formatNumber(instances)],
    ["COLD STARTS", `${formatNumber(responses.length)} of the ${formatNumber(lookedUp)} slowest requests${times}`],
    ...(foundInLog < lookedUp ? [["NOT IN LOGS YET", formatNumber(lookedUp - foundInLog)]] : []),
  ];
}

/** The histogram, one bar per line. */
export function formatHistogram(latencies: Latencies): Rows {
  const groups = groupBuckets(latencies);
  const largest = Math.max(...groups.map(({ count }) => count));
  return groups.map(({ upToMs, count }) => [
    `≤ ${formatLatency(upToMs)}`,
    formatNumber(count),
    "█".repeat(Math.ceil((count / largest) * MAX_BAR_WIDTH)),
  ]);
}

/** One line about a run in progress. */
export function formatProgress({ latencies }: { readonly latencies: Latencies }, perSecond: number, failed: number): string {
  const failures = failed > 0 ? `, ${formatNumber(failed)} failed` : "";
  const times = `p50 ${formatLatency(latencies.percentile(50))}, p99 ${formatLatency(latencies.percentile(99))}`;
  return `${formatCount(latencies.count, "response")}, ${formatNumber(perSecond, 0)}/s, ${times}${failures}`;
}

function formatPercentiles(latencies: Latencies): string {
  return PERCENTILES.map((percent) => `p${percent} ${formatLatency(latencies.percentile(percent))}`).join("  ");
}

/** In milliseconds, or in seconds from one on. */
export function formatLatency(durationMs: number): string {
  if (durationMs >= 1000) return `${Number((durationMs / 1000).toPrecision(3))} s`;
  return `${Number(durationMs.toPrecision(3))} ms`;
}

export function formatCount(number: number, thing: string): string {
  return `${formatNumber(number)} ${thing}${number === 1 ? "" : "s"}`;
}

export function formatNumber(number: number, decimals = 0): string {
  return number.toLocaleString("en-US", { maximumFractionDigits: decimals });
}
