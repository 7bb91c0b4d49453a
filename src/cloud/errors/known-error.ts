import type { CliError } from "../../errors/cli-error.ts";

/** What is known about a call that failed. */
export interface FailedCall {
  readonly via: "gcloud" | "api";
  readonly project: string;
  readonly region: string;
  /** The sentence of Google's message that names the problem. */
  readonly sentence: string;
  /** The email address of the account that made the call, if it is known. */
  readonly account?: string;
}

/** A message from Google, and the error that it means. */
export type KnownError = readonly [pattern: RegExp, explain: (match: RegExpExecArray, call: FailedCall) => CliError];
