import { pause } from "../http/poll.ts";
import type { InvokeOptions } from "./options.ts";

const DEFAULT_INTERVAL_MS = 2000;

/** Yields the calls in order: each once, or in as many rounds as the flags say. `--watch` pauses between rounds. */
export async function* repeatCalls<Call>(
  calls: readonly Call[],
  { repeat, watchMs }: Pick<InvokeOptions, "repeat" | "watchMs">,
  signal: AbortSignal,
): AsyncGenerator<Call> {
  const times = repeat ?? (watchMs === undefined ? 1 : Infinity);
  for (let round = 1; round <= times; round += 1) {
    yield* calls;
    if (watchMs !== undefined && round < times) await pause(watchMs === true ? DEFAULT_INTERVAL_MS : watchMs, signal);
  }
}
