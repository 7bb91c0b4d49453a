import { setTimeout as sleep } from "node:timers/promises";

interface PauseOptions {
  /** Ends the pause early, without an error. */
  readonly signal?: AbortSignal | undefined;
  /** False if the process can end meanwhile. */
  readonly ref?: boolean;
}

export async function pause(milliseconds: number, { signal, ref = true }: PauseOptions = {}): Promise<void> {
  if (milliseconds > 0) await sleep(milliseconds, undefined, { ref, ...(signal && { signal }) }).catch(() => undefined);
}

interface PollOptions {
  readonly timeoutMs: number;
  readonly firstPauseMs: number;
  /** Pauses grow by half up to this. */
  readonly maxPauseMs: number;
  readonly signal?: AbortSignal;
}

/** Checks a condition until it holds (true), or until the time is over or the signal aborts (false). */
export async function poll(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs, firstPauseMs, maxPauseMs, signal }: PollOptions,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = firstPauseMs; performance.now() < deadline && !signal?.aborted; pauseMs = Math.min(pauseMs * 1.5, maxPauseMs)) {
    if (await condition()) return true;
    await pause(pauseMs, { signal });
  }
  return false;
}
