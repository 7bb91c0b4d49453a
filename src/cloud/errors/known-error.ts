import type { CliError } from "../../errors/cli-error.ts";

export interface FailedCall {
  readonly via: "gcloud" | "api";
  readonly project: string;
  readonly region: string;
  /** The part of the message that names the problem. */
  readonly sentence: string;
  readonly account?: string;
}

/** A message from Google, and the error that it means. `output` is everything that gcloud printed, or the API's response. */
export type KnownError = readonly [pattern: RegExp, explain: (match: RegExpExecArray, call: FailedCall, output: string) => CliError];
