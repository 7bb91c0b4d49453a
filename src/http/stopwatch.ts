import { hrtime } from "node:process";

/** Starts a stopwatch; the returned function gives the elapsed milliseconds. Node 20 loads many modules for `performance.now()`. */
export function startStopwatch(): () => number {
  const begun = hrtime.bigint();
  return () => Number(hrtime.bigint() - begun) / 1e6;
}
