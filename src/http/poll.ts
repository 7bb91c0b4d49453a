import { setTimeout as sleep } from "node:timers/promises";

interface PollOptions {
  /** Ends the wait; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** The pause after the first check; each further pause is half as long again. */
  readonly firstPauseMs: number;
  /** The longest pause; `firstPauseMs` by default, so that all pauses are alike. */
  readonly maxPauseMs?: number;
}

interface TimedPollOptions extends PollOptions {
  /** No check begins later than this; without it, polling ends with the signal. */
  readonly timeoutMs: number;
}

/** Repeats a check until it gives something other than undefined, and returns that; returns undefined after the timeout. Throws the signal's reason. */
export async function poll<T>(check: () => Promise<T | undefined>, options: TimedPollOptions): Promise<T | undefined>;
export async function poll<T>(check: () => Promise<T | undefined>, options: PollOptions): Promise<T>;
export async function poll<T>(
  check: () => Promise<T | undefined>,
  { signal, firstPauseMs, maxPauseMs = firstPauseMs, timeoutMs = Infinity }: PollOptions & Partial<TimedPollOptions>,
): Promise<T | undefined> {
  const end = performance.now() + timeoutMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, maxPauseMs)) {
    const result = await check();
    if (result !== undefined || performance.now() + pauseMs > end) return result;
    await pause(pauseMs, signal);
  }
}

/** Waits. Throws the signal's reason if it is aborted first. */
export async function pause(durationMs: number, signal?: AbortSignal): Promise<void> {
  await sleep(durationMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
}
