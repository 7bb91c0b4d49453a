import { CliError } from "../errors/cli-error.ts";
import { TimedOut } from "../http/network-error.ts";
import { pause } from "../http/poll.ts";
import { isTransient } from "../http/retry.ts";

interface RetryOptions {
  readonly signal: AbortSignal;
  /** How many times another client can be faster; 0 by default, when a conflict is a result. */
  readonly conflicts?: number;
  /** How many attempts in a row can fail by something that passes. */
  readonly failures?: number;
}

/** The longest pause after the first attempt; it doubles after each further one, up to MAX_PAUSE_MS. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 8000;
/** Of many clients that change the same thing, one succeeds at a time, so pauses grow up to this many times the length of an attempt. */
const MAX_COMPETING_CLIENTS = 64;
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * Repeats work that failed by something that passes: Google's API is unreachable or busy, or another client was faster. The work gets the number of
 * the attempt, from 1, and has to find out first what an earlier attempt has done whose response got lost. Pauses have full jitter and respect
 * Retry-After: https://cloud.google.com/iam/docs/retry-strategy
 */
export async function withRetry<T>(
  work: (attempt: number) => Promise<T>,
  { signal, conflicts: maxConflicts = 0, failures: maxFailures = 6 }: RetryOptions,
): Promise<T> {
  let [failures, conflicts] = [0, 0];
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    const started = performance.now();
    try {
      return await work(attempt);
    } catch (error) {
      const isConflict = error instanceof CliError && error.code === "CONFLICT";
      failures = isConflict ? 0 : failures + 1;
      conflicts += isConflict ? 1 : 0;
      const isWorthRetrying = isConflict ? conflicts <= maxConflicts : canPass(error) && failures < maxFailures;
      const retryAfterMs = readRetryAfterMs(error);
      if (signal.aborted || !isWorthRetrying || retryAfterMs > MAX_RETRY_AFTER_MS) throw error;
      const attemptMs = isConflict ? performance.now() - started : 0;
      const longestMs = Math.max(MAX_PAUSE_MS, MAX_COMPETING_CLIENTS * attemptMs);
      await pause(retryAfterMs + Math.random() * Math.min(Math.max(FIRST_PAUSE_MS, attemptMs) * 2 ** (attempt - 1), longestMs), signal);
    }
  }
}

function canPass(error: unknown): boolean {
  if (!(error instanceof CliError) || (error.code !== "UNAVAILABLE" && error.code !== "TIMEOUT")) return false;
  const { cause, retryAfterSeconds } = error;
  return (
    retryAfterSeconds !== undefined || cause instanceof TimedOut || isTransient((cause as NodeJS.ErrnoException | undefined)?.code ?? "")
  );
}

function readRetryAfterMs(error: unknown): number {
  return error instanceof CliError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
}
