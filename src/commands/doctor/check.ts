import { CliError } from "../../errors/cli-error.ts";
import type { ErrorCode } from "../../errors/exit-codes.ts";
import type { World } from "./facts.ts";

type Status = "ok" | "warn" | "fail" | "skipped";

/** What may be done about a finding without harm. */
interface Fix {
  /** Asks for leave, in one sentence. */
  readonly question: string;
  /** What is done, a line each as it could be done by hand. */
  readonly plan: readonly string[];
  /** Does it, in a world of its own: that of the checks has ended. Throws CliError. */
  apply(world: World): Promise<void>;
}

/** What a check has found. */
export interface Finding {
  readonly status: Status;
  /** One sentence. */
  readonly message: string;
  /** The commands that mend it, a line each. */
  readonly remedy?: string;
  /** What a failure leaves the exit code of. */
  readonly code?: ErrorCode;
  /** Facts for machines, and for `--verbose`. Keys are snake_case. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly fix?: Fix;
}

/** One thing that usually is wrong. */
export interface Check {
  /** As it is typed, and as machines know it: it keeps its name. */
  readonly name: string;
  /** What helps where an error does not say it itself. */
  readonly remedy?: string;
  /** Looks; throws CliError where it cannot, or Skipped. */
  run(world: World): Promise<Finding>;
}

export interface Group {
  readonly title: string;
  readonly checks: readonly Check[];
}

type More = Omit<Finding, "status" | "message" | "code">;

export const ok = (message: string, more: More = {}): Finding => ({ status: "ok", message, ...more });
export const warn = (message: string, more: More = {}): Finding => ({ status: "warn", message, ...more });
export const fail = (code: ErrorCode, message: string, more: More = {}): Finding => ({ status: "fail", code, message, ...more });
export const skip = (message: string, more: More = {}): Finding => ({ status: "skipped", message, ...more });

/** A failure in an error's own words. */
export function failed({ code, message, hint, details }: CliError): Finding {
  return fail(code, message, { ...(hint && { remedy: hint }), details });
}

/** Thrown by a check that has nothing to look at. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}

/** Makes a missing fact undefined: `fact.catch(ignoreMissing)`. Throws anything but CliError and Skipped, which is a bug. */
export function ignoreMissing(error: unknown): undefined {
  if (error instanceof CliError || error instanceof Skipped) return undefined;
  throw error;
}

/** What another check is about. Where it is not to be had, that check says why, and this one is skipped. */
export async function need<T>(check: string, fact: Promise<T>): Promise<T> {
  try {
    return await fact;
  } catch (error) {
    if (error instanceof CliError) throw new Skipped(`Not looked at: see ${check}.`);
    throw error;
  }
}

/** A word with its number: `1 day`, `2 days`. */
export function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}
