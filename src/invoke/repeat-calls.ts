import { setTimeout as sleep } from "node:timers/promises";
import type { InvokeOptions } from "./options.ts";

/** Milliseconds between two rounds of `--watch`. */
const DEFAULT_INTERVAL_MS = 2000;

/** The calls in the order in which they are made: each once, or in as many rounds as the flags say, with a pause between two. */
export async function* repeatCalls<Call>(
  calls: readonly Call[],
  { repeat, watch }: Pick<InvokeOptions, "repeat" | "watch">,
  signal: AbortSignal,
): AsyncGenerator<Call> {
  const times = repeat ?? (watch === undefined ? 1 : Infinity);
  for (let round = 1; round <= times; round += 1) {
    yield* calls;
    if (watch !== undefined && round < times) await sleep(watch === true ? DEFAULT_INTERVAL_MS : watch, undefined, { signal });
  }
}
