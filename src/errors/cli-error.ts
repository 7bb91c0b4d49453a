import { EXIT_CODES, type ErrorCode } from "./exit-codes.ts";

interface CliErrorOptions {
  /** The command to run next, or the one thing to change. */
  hint?: string;
  /** What really happened; shown with --verbose. */
  cause?: unknown;
  /** Facts for machines: printed under `--json`, never a secret. Keys are snake_case. */
  details?: Readonly<Record<string, unknown>>;
}

/** An error with a sentence for the user. Anything else that is thrown is a bug. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: CliErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }

  /** The exit code that the process leaves with when this error ends it. */
  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}
