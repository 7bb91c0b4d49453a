import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { Request } from "./client.ts";

/** When a request that failed is sent again. */
export interface Retry {
  /** Attempts after the first. */
  readonly times: number;
  /** Answers after which it is sent again too; without them, only what never got an answer. */
  readonly statuses?: readonly number[];
  /** Although its method may do twice what is done twice. */
  readonly all?: boolean;
  /** Milliseconds: the longest pause after the first attempt; half a second where it is not said. */
  readonly first?: number;
}

/** What became of an attempt. */
export type Outcome = { readonly answer: IncomingMessage } | { readonly error: unknown };

/** RFC 9110, section 9.2.2. */
const IDEMPOTENT_METHODS = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT_METHODS.has(method);
}

/** A request that says nothing of it is sent again where it only reads. */
const READING: Retry = { times: 2 };
const WRITING: Retry = { times: 0 };

/** What may pass by itself. ENOTFOUND is not among them: a name that does not exist will not exist in a second. */
const PASSING = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/** Whether a failure of a connection, by the code that Node gives it, may pass by itself. */
export function isPassing(code: string): boolean {
  return PASSING.has(code);
}

/** Milliseconds: the longest pause after the first attempt, twice as long after each further one, and never longer than the last. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

/** Milliseconds. Whoever says to come back later than this is told to a person, and not waited for. */
const PATIENCE = 60_000;

/**
 * Milliseconds until a request is to be sent again, after so many attempts; undefined where it is not. An emulator that is not there will
 * not be started by waiting.
 */
export function pauseAfter(attempts: number, outcome: Outcome, request: Request, way: { readonly emulator: boolean }): number | undefined {
  const { method, body } = request;
  const retry = request.retry ?? (method === "GET" || method === "HEAD" ? READING : WRITING);
  // A stream has been read, or a part of it.
  if (attempts > retry.times || body instanceof Readable || !(retry.all || isIdempotent(method))) return undefined;
  // Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
  const pause = Math.random() * Math.min((retry.first ?? FIRST_PAUSE) * 2 ** (attempts - 1), LONGEST_PAUSE);
  if ("error" in outcome) {
    const { code = "" } = (outcome.error ?? {}) as NodeJS.ErrnoException;
    return isPassing(code) && !(way.emulator && code === "ECONNREFUSED") ? pause : undefined;
  }
  if (!retry.statuses?.includes(outcome.answer.statusCode ?? 0)) return undefined;
  const asked = retryAfter(outcome.answer);
  return asked > PATIENCE ? undefined : asked + pause;
}

/** Milliseconds, by RFC 9110, section 10.2.3; 0 where nothing is said. A date is counted from the answer's own, whatever this machine's clock says. */
export function retryAfter({ headers }: { readonly headers: Pick<IncomingMessage["headers"], "retry-after" | "date"> }): number {
  const said = headers["retry-after"] ?? "";
  if (/^\d+$/.test(said)) return Number(said) * 1000;
  const date = Date.parse(said);
  const now = Date.parse(headers.date ?? "") || Date.now();
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
