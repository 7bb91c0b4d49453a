import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { Request, Retry } from "./request.ts";

export type Outcome = { readonly response: IncomingMessage } | { readonly error: unknown };

/** RFC 9110, section 9.2.2. */
const IDEMPOTENT_METHODS = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT_METHODS.has(method);
}

/** By default only requests that read are sent again. */
const READ_RETRY: Retry = { times: 2 };
const WRITE_RETRY: Retry = { times: 0 };

/** Failures that can be temporary. ENOTFOUND isn't: a name that doesn't exist won't exist in a second. */
const TRANSIENT_CODES = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/** True if the failure of a connection, by Node's error code, can be temporary. */
export function isTransient(code: string): boolean {
  return TRANSIENT_CODES.has(code);
}

/** The longest pause after the first attempt; it doubles with each further one, up to the maximum. */
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;
/** A response that asks for a longer pause is not retried. */
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * Milliseconds until a request is sent again, after this many attempts; undefined if it isn't. Waiting doesn't start an emulator that isn't running.
 */
export function pauseBeforeRetry(
  attempts: number,
  outcome: Outcome,
  request: Request,
  route: { readonly isEmulator: boolean },
): number | undefined {
  const { method, body } = request;
  const retry = request.retry ?? (method === "GET" || method === "HEAD" ? READ_RETRY : WRITE_RETRY);
  // A stream has been read already, at least in part.
  if (attempts > retry.times || body instanceof Readable || !(retry.evenIfNotIdempotent || isIdempotent(method))) return undefined;
  // Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
  const pauseMs = Math.random() * Math.min((retry.firstPauseMs ?? FIRST_PAUSE_MS) * 2 ** (attempts - 1), MAX_PAUSE_MS);
  if ("error" in outcome) {
    const { code = "" } = (outcome.error ?? {}) as NodeJS.ErrnoException;
    return isTransient(code) && !(route.isEmulator && code === "ECONNREFUSED") ? pauseMs : undefined;
  }
  if (!retry.statuses?.includes(outcome.response.statusCode ?? 0)) return undefined;
  const retryAfterMs = readRetryAfter(outcome.response);
  return retryAfterMs > MAX_RETRY_AFTER_MS ? undefined : retryAfterMs + pauseMs;
}

/** Retry-After in milliseconds, 0 without it: RFC 9110, section 10.2.3. A date counts from the response's own Date, not from the local clock. */
export function readRetryAfter({ headers }: { readonly headers: Pick<IncomingMessage["headers"], "retry-after" | "date"> }): number {
  const value = headers["retry-after"] ?? "";
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  const now = Date.parse(headers.date ?? "") || Date.now();
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
