import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../errors/cli-error.ts";
import { TimedOut } from "../http/network-error.ts";
import { isPassing } from "../http/retry.ts";

interface Patience {
  readonly signal: AbortSignal;
  /** How often somebody else may be faster; 0 where a conflict is an answer. */
  readonly conflicts?: number;
  /** How often in a row what may pass by itself may fail. */
  readonly failures?: number;
}

/** Milliseconds: the longest pause after the first attempt, twice as long after each further one, and never longer than the last. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 8000;
/** Of many who are at it at once one gets through at a time, so pauses grow until all of them find room: up to so many times what an attempt takes. */
const ROOM = 64;

/** Milliseconds. Whoever says to come back later than this is told to a person, and not waited for. */
const LONGEST_WAIT = 60_000;

/**
 * Does something again where it failed by what may pass: Google's API cannot be reached or is busy, or somebody else was faster. What is done has to
 * find out first what an earlier attempt, whose answer got lost, has brought about; it is given the number of the attempt, from 1. Pauses have full
 * jitter, and keep to Retry-After: https://cloud.google.com/iam/docs/retry-strategy
 */
export async function withRetry<T>(work: (attempt: number) => Promise<T>, { signal, conflicts = 0, failures = 6 }: Patience): Promise<T> {
  let [failed, outrun] = [0, 0];
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    const started = performance.now();
    try {
      return await work(attempt);
    } catch (error) {
      const isConflict = error instanceof CliError && error.code === "CONFLICT";
      failed = isConflict ? 0 : failed + 1;
      outrun += isConflict ? 1 : 0;
      const isWorthIt = isConflict ? outrun <= conflicts : mayPass(error) && failed < failures;
      const asked = askedPause(error);
      if (signal.aborted || !isWorthIt || asked > LONGEST_WAIT) throw error;
      const took = isConflict ? performance.now() - started : 0;
      const longest = Math.min(Math.max(FIRST_PAUSE, took) * 2 ** (attempt - 1), Math.max(LONGEST_PAUSE, ROOM * took));
      await pause(asked + Math.random() * longest, signal);
    }
  }
}

/** Waits so many milliseconds; throws the signal's reason where that ends it. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** Whether what failed may succeed in a while, done again or not. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof CliError) || (error.code !== "UNAVAILABLE" && error.code !== "TIMEOUT")) return false;
  const { cause, retryAfterSeconds } = error;
  return (
    retryAfterSeconds !== undefined || cause instanceof TimedOut || isPassing((cause as NodeJS.ErrnoException | undefined)?.code ?? "")
  );
}

function askedPause(error: unknown): number {
  return error instanceof CliError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
}
