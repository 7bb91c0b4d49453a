import { hrtime } from "node:process";

/** Starts a stopwatch; what it gives says how many milliseconds have passed. For `performance.now()`, Node 20 would load a good deal. */
export function startStopwatch(): () => number {
  const begun = hrtime.bigint();
  return () => Number(hrtime.bigint() - begun) / 1e6;
}
