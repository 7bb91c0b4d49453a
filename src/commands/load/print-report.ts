import type { ColdStarts } from "./cold-starts.ts";
import { PERCENTILES, type Latencies } from "./latencies.ts";
import { failures, gather, perSecond, type About } from "./report.ts";
import type { Outcome } from "./run-load.ts";

type Rows = readonly (readonly string[])[];

/** Characters of the longest bar. */
const WIDEST = 40;

/** What is printed of a run: what was sent and answered, and how long that took. */
export function showLoad({ amount, check, instanceHeader, coldStarts }: About, outcome: Outcome): Rows {
  const { tally, duration, sent, unsent, abandoned } = outcome;
  const { latencies, firsts, statuses, errors, slowest } = tally;
  const [slow] = slowest;
  const rows: string[][] = [
    ["REQUESTS", `${whole(sent)} in ${(duration / 1000).toFixed(1)} s over ${count(amount.concurrency, "connection")}`],
    ["A SECOND", `${perSecond(outcome).toFixed(1)}${amount.rate === undefined ? "" : ` of ${amount.rate}`}`],
    ["FAILED", `${whole(failures(outcome))}${failures(outcome) > 0 ? ` (${((failures(outcome) / sent) * 100).toFixed(2)} %)` : ""}`],
  ];
  for (const [status, number] of [...statuses].toSorted(([a], [b]) => a - b)) rows.push([String(status), whole(number)]);
  for (const [code, { count: number, sentence }] of errors) rows.push([code, `${whole(number)}  ${sentence}`]);
  if (unsent > 0) rows.push(["NOT SENT", `${whole(unsent)}: no connection was free`]);
  if (abandoned > 0) rows.push(["BROKEN OFF", whole(abandoned)]);
  if (check) rows.push(["FIRST CALL", `${showDuration(check.duration)}, not counted`]);
  if (latencies.count === 0) return rows;
  rows.push(["LATENCY", percentiles(latencies)], ["MEAN", showDuration(latencies.mean)]);
  if (instanceHeader !== undefined) {
    rows.push(["INSTANCES", `${count(firsts.count, "new one")} by ${instanceHeader}`]);
    if (firsts.count > 0) rows.push(["THEIR FIRST", percentiles(firsts)]);
  }
  if (coldStarts) rows.push(["COLD STARTS", describe(coldStarts)]);
  if (slow?.trace !== undefined) rows.push(["SLOWEST", `${showDuration(slow.latency)}, trace ${slow.trace}`]);
  return rows;
}

function describe({ instances, looked, known, answers }: ColdStarts): string {
  const missing = known < looked ? `; ${whole(looked - known)} of them are not in the log yet` : "";
  const times = answers.length > 0 ? `, ${showDuration(answers.at(-1)?.latency ?? 0)} to ${showDuration(answers[0]?.latency ?? 0)}` : "";
  return `${count(instances, "new instance")}; ${whole(answers.length)} of the ${whole(looked)} slowest answers waited for one${times}${missing}`;
}

/** The histogram, a bar a line. */
export function showHistogram(latencies: Latencies): Rows {
  const steps = gather(latencies);
  const most = Math.max(...steps.map(({ count }) => count));
  return steps.map(({ upTo, count }) => [`≤ ${showDuration(upTo)}`, whole(count), "█".repeat(Math.ceil((count / most) * WIDEST))]);
}

/** One line while the run goes on. */
export function showProgress({ latencies }: { readonly latencies: Latencies }, perSecond: number, failed: number): string {
  const some = failed > 0 ? `, ${whole(failed)} failed` : "";
  const times = `p50 ${showDuration(latencies.percentile(50))}, p99 ${showDuration(latencies.percentile(99))}`;
  return `${whole(latencies.count)} answers, ${perSecond.toFixed(0)} a second, ${times}${some}`;
}

function percentiles(latencies: Latencies): string {
  const named = PERCENTILES.map((percent) => `p${percent} ${showDuration(latencies.percentile(percent))}`);
  return [`min ${showDuration(latencies.min)}`, ...named, `max ${showDuration(latencies.max)}`].join("  ");
}

/** Milliseconds, or seconds from ten of them on. */
export function showDuration(milliseconds: number): string {
  if (milliseconds >= 10_000) return `${Number((milliseconds / 1000).toPrecision(3))} s`;
  return `${Number(milliseconds.toPrecision(3))} ms`;
}

function count(number: number, thing: string): string {
  return `${whole(number)} ${thing}${number === 1 ? "" : "s"}`;
}

function whole(number: number): string {
  return number.toLocaleString("en-US");
}
