import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { redact } from "../../errors/redact.ts";
import { failFrom, skip, warn, type Check, type CheckGroup, type Finding } from "./check.ts";
import { isNotEnabled, openFacts, type Facts } from "./facts.ts";
import { Skipped } from "./require-fact.ts";

/** A check's finding, with the check's name and its group's title. */
export interface CheckResult extends Finding {
  readonly name: string;
  readonly group: string;
}

const MAX_MESSAGE_LENGTH = 600;

/** If Google can't be reached or refuses the request, that is what these checks report. */
const CHECKS_OF_GOOGLE = new Set([
  "network",
  "proxy",
  "credentials",
  "token",
  "deploy-credentials",
  "project",
  "reachable",
  "gcloud",
  "settings",
]);

/**
 * Runs checks concurrently, all within `timeoutMs`; `onStart` gets their results, in order, as promises. Throws the context's abort reason, and
 * nothing else.
 */
export async function runChecks(
  context: Context,
  groups: readonly CheckGroup[],
  timeoutMs: number,
  onStart: (results: readonly Promise<CheckResult>[]) => Promise<void> = async () => {},
): Promise<CheckResult[]> {
  const stop = new AbortController();
  const timeout = new CliError("TIMEOUT", `Timed out after ${timeoutMs / 1000} s.`);
  const timer = setTimeout(() => stop.abort(timeout), timeoutMs);
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  // If all checks are done in time, nothing awaits it.
  aborted.catch(() => {});
  const facts = openFacts(context, signal);
  try {
    const results = groups.flatMap(({ title, checks }) =>
      checks.map(async (check) => ({ name: check.name, group: title, ...(await runCheck(check, facts, aborted, timeout)) })),
    );
    const [all] = await Promise.all([Promise.all(results), onStart(results)]);
    return all;
  } finally {
    clearTimeout(timer);
    // Ends requests that no check awaits any more.
    stop.abort(timeout);
    context.signal.throwIfAborted();
  }
}

async function runCheck(check: Check, facts: Facts, aborted: Promise<never>, timeout: CliError): Promise<Finding> {
  const finding = await Promise.race([check.run(facts), aborted]).catch((error: unknown) =>
    explain(error, check, facts.context.signal, timeout),
  );
  return { ...finding, message: toSafeLine(finding.message), next: findNextSteps(check, finding, facts) };
}

/** The commands that fix a finding; if it has neither a command nor a hint, the one that shows more. */
function findNextSteps({ name }: Check, { status, hint, next = [], fix }: Finding, { context }: Facts): Finding["next"] {
  if (fix) return [nextStep("To fix it", "doctor", name, "--fix")];
  const isProblem = status === "warn" || status === "fail";
  if (isProblem && next.length === 0 && hint === undefined) return [nextStep("To see the details", "doctor", name, "--verbose")];
  if (!context.env["CLOUDRUN_OAUTH_EMULATOR"]) return next;
  // The emulator's gcloud needs the emulator's environment.
  return next.map((step) => (step.program === "gcloud" ? nextStep(step.text, "emulator", "exec", "--", "gcloud", ...step.command) : step));
}

/** A message can quote another machine: it must not control the terminal, fill it, or hold a secret. */
function toSafeLine(text: string): string {
  const line = redact(text).replace(/[\p{Cc}\p{Cf}\s]+/gu, " ");
  return line.length > MAX_MESSAGE_LENGTH ? `${line.slice(0, MAX_MESSAGE_LENGTH)}…` : line;
}

/** Turns a check's error into a finding. Rethrows what is neither CliError nor Skipped, and throws the reason if the command was aborted. */
function explain(error: unknown, { name }: Check, signal: AbortSignal, timeout: CliError): Finding {
  if (signal.aborted && signal.reason !== timeout) throw signal.reason;
  if (error === timeout) return warn(timeout.message, { next: [nextStep("To allow more time", "doctor", name, "--max-time", "60s")] });
  if (error instanceof Skipped) return skip(error.message);
  if (!(error instanceof CliError)) throw error;
  return (CHECKS_OF_GOOGLE.has(name) ? undefined : explainNoAnswer(error)) ?? failFrom(error);
}

/** The finding of a check that isn't allowed to look something up, or gets no answer; undefined for any other error. */
function explainNoAnswer(error: CliError): Finding | undefined {
  const { code, message, hint, next, details } = error;
  const more = { hint, next, details };
  if (isNotEnabled(error) || code === "PERMISSION_DENIED") return skip(`Can't check: ${message}`, more);
  if (code === "UNAVAILABLE" || code === "TIMEOUT") return warn(`Can't check: ${message}`, more);
  return undefined;
}
