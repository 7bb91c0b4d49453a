/** Every way the tool fails on purpose, and the exit code that each one leaves. */
export const EXIT_CODES = {
  BUG: 1, // anything thrown that is not a CliError
  GCLOUD_FAILED: 1, // gcloud failed in a way that has no code of its own
  BUILD_FAILED: 1, // Cloud Build ran the build and it failed
  DEPLOY_FAILED: 1, // Cloud Run made the revision and it did not become ready
  EMULATOR_FAILED: 1, // the emulator could not start or stop: port taken, disk full, already running
  PROXY_FAILED: 1, // the proxy could not listen: port taken, no such address
  USAGE: 2, // flags or arguments make no sense
  SETTINGS_INVALID: 2, // a settings file or a setting's value makes no sense
  CREDENTIALS_MISSING: 3, // no credentials were found
  CREDENTIALS_INVALID: 3, // a credential file is broken
  TOKEN_REFUSED: 3, // the token endpoint said no
  CLOCK_SKEW: 3, // the token endpoint said no because this machine's clock is off
  NOT_FOUND: 4, // service, project, image or path does not exist
  PERMISSION_DENIED: 5, // the caller lacks a role
  ORG_POLICY: 5, // an organisation policy forbids it
  CONFLICT: 5, // somebody else changed it at the same time, or it exists already
  GCLOUD_MISSING: 6, // gcloud is not installed
  NODE_OUTDATED: 6, // this Node is too old
  ENGINE_MISSING: 6, // no engine can run this image
  EMULATOR_NOT_RUNNING: 6, // --emulator without an emulator
  UNAVAILABLE: 7, // network trouble, retries spent
  TIMEOUT: 7, // --timeout is over
  HTTP_STATUS: 8, // the service itself answered 400 or above
  LOAD_FAILED: 8, // load: more requests failed, or answers were slower, than is allowed
  NOT_AUTHENTICATED: 9, // Cloud Run's front end found no good credential
  NOT_AUTHORIZED: 9, // Cloud Run's front end found a good credential that may not call
  NOT_REACHABLE: 9, // Cloud Run's front end does not show the service to this caller
  INTERRUPTED: 130, // Ctrl-C
} as const;

export type ErrorCode = keyof typeof EXIT_CODES;

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
