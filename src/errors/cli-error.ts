import { EXIT_CODES, type ErrorCode } from "./exit-codes.ts";
import type { NextStep } from "./next-step.ts";
import type { Reason } from "./reasons.ts";

/** What an error is about: what wasn't found, the permission that is missing, the API that is off, the signal that interrupted. */
export interface ErrorSubject {
  readonly kind: "account" | "api" | "image" | "key" | "permission" | "project" | "region" | "role" | "service" | "signal";
  readonly name: string;
  /** The ID of the project that the subject is in, if it is known. */
  readonly project?: string;
}

interface CliErrorOptions {
  /** A sentence that says why, or what to change. */
  readonly hint?: string | undefined;
  /** The commands that help. */
  readonly next?: readonly NextStep[];
  /** The original error; shown with --verbose. */
  readonly cause?: unknown;
  /** Why it was refused; `details` repeats it. */
  readonly reason?: Reason;
  readonly subject?: ErrorSubject;
  /** Set if the same call can succeed later: seconds to wait first, 0 if the server doesn't say. */
  readonly retryAfterSeconds?: number;
  /** Facts for machines, printed under `--json`; code decides by the fields above. Keys are snake_case. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error with a sentence for the user. Anything else that is thrown is a bug. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly next: readonly NextStep[];
  readonly reason: Reason | undefined;
  readonly subject: ErrorSubject | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: CliErrorOptions = {}) {
    const { hint, next = [], cause, reason, subject, retryAfterSeconds, details } = options;
    super(message, { cause });
    this.code = code;
    this.hint = hint;
    this.next = next;
    this.reason = reason;
    this.subject = subject;
    this.retryAfterSeconds = retryAfterSeconds;
    this.details = { ...(reason && { reason }), ...details };
  }

  /** The exit code of the process if this error ends it. */
  get exitCode(): number {
    return EXIT_CODES[this.code];
  }

  /** A copy with another message, hint or cause, or with more details. */
  with({
    message = this.message,
    details,
    ...changes
  }: Pick<CliErrorOptions, "hint" | "next" | "cause" | "details"> & { message?: string }): CliError {
    const { code, hint, next, cause, reason, subject, retryAfterSeconds } = this;
    const options = { hint, next, cause, reason, subject, retryAfterSeconds, ...changes, details: { ...this.details, ...details } };
    return new CliError(code, message, options);
  }
}
