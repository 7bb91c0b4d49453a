import type { CliError } from "../../errors/cli-error.ts";
import type { ErrorCode } from "../../errors/exit-codes.ts";
import type { Facts } from "./facts.ts";

type Status = "ok" | "warn" | "fail" | "skipped";

/** A repair that does no harm. */
interface Fix {
  /** Asks for permission, in one sentence. */
  readonly question: string;
  /** Its steps, a line each, as commands or requests. */
  readonly plan: readonly string[];
  /** Gets facts of its own, since those of the checks have ended. Throws CliError. */
  apply(facts: Facts): Promise<void>;
}

/** The result of a check. */
export interface Finding {
  readonly status: Status;
  /** One sentence. */
  readonly message: string;
  /** The commands that fix it, a line each. */
  readonly remedy?: string;
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
  /** The remedy for an error that has none. */
  readonly remedy?: string;
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

/** A failure with an error's message. */
export function failFrom({ code, message, hint, next, details }: CliError): Finding {
  const [command] = next.map((step) => [step.program ?? "cloudrun-oauth", ...step.command].join(" "));
  const remedy = hint ?? command;
  return fail(code, message, { ...(remedy && { remedy }), details });
}

/** A number with its noun: `1 day`, `2 days`. */
export function formatCount(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
