import type { CliError } from "../../errors/cli-error.ts";
import type { ErrorCode } from "../../errors/exit-codes.ts";
import { externalStep, type NextStep } from "../../errors/next-step.ts";
import type { Facts } from "./facts.ts";

/** A repair that does no harm. */
interface Fix {
  readonly question: string;
  /** What is shown while the fix is applied, and after it. */
  readonly running: string;
  readonly done: string;
  /** Its steps, a line each, as commands or requests. */
  readonly plan: readonly string[];
  /** Gets new facts, since those of the checks have ended. Throws CliError. */
  apply(facts: Facts): Promise<void>;
}

/** The result of a check. */
export interface Finding {
  readonly status: "ok" | "warn" | "fail" | "skipped";
  /** One sentence. */
  readonly message: string;
  /** What to change, in a sentence without a command. */
  readonly hint?: string;
  /** The commands that fix it. */
  readonly next?: readonly NextStep[];
  /** The code of a failure, which decides the exit code. */
  readonly code?: ErrorCode;
  /** Facts for machines and for `--verbose`. Keys are snake_case. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly fix?: Fix;
}

/** Checks one thing that is often wrong. */
export interface Check {
  /** Users type it and machines read it, so it never changes. */
  readonly name: string;
  /** Throws CliError if it fails or can't check, Skipped if it has nothing to check. */
  run(facts: Facts): Promise<Finding>;
}

export interface CheckGroup {
  readonly title: string;
  readonly checks: readonly Check[];
}

type More = Omit<Finding, "status" | "message" | "code">;

export const ok = (message: string, more: More = {}): Finding => ({ status: "ok", message, ...more });
export const warn = (message: string, more: More = {}): Finding => ({ status: "warn", message, ...more });
export const fail = (code: ErrorCode, message: string, more: More = {}): Finding => ({ status: "fail", code, message, ...more });
export const skip = (message: string, more: More = {}): Finding => ({ status: "skipped", message, ...more });

/** A step that runs gcloud; no word of the line has a space. */
export function gcloudStep(text: string, line: string): NextStep {
  return externalStep(text, "gcloud", ...line.split(" "));
}

/** A failure with an error's message. */
export function failFrom({ code, message, hint, next, details }: CliError): Finding {
  return fail(code, message, { hint, next, details });
}
