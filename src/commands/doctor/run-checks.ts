import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
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

/** Runs checks concurrently, all within `timeoutMs`. Throws the context's abort reason, and nothing else. */
export async function runChecks(context: Context, groups: readonly CheckGroup[], timeoutMs: number): Promise<CheckResult[]> {
  const stop = new AbortController();
  const timeout = new CliError("TIMEOUT", `Not done after ${timeoutMs / 1000} s.`);
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
    return await Promise.all(
      groups.flatMap(({ title, checks }) =>
        checks.map(async (check) => ({ name: check.name, group: title, ...(await runCheck(check, facts, aborted, timeout)) })),
      ),
    );
  } finally {
    clearTimeout(timer);
    // Ends requests that no check awaits any more.
    stop.abort(timeout);
    context.signal.throwIfAborted();
  }
}

async function runCheck(check: Check, facts: Facts, aborted: Promise<never>, timeout: CliError): Promise<Finding> {
  const finding = await Promise.race([check.run(facts), aborted]).catch((error: unknown) => explain(error, check, timeout));
  const needsRemedy = finding.status === "warn" || finding.status === "fail";
  const remedy = finding.remedy ?? (needsRemedy ? (check.remedy ?? `cloudrun-oauth doctor ${check.name} --verbose`) : undefined);
  return { ...finding, message: toSafeLine(finding.message), ...(remedy !== undefined && { remedy }) };
}

/** A message can quote another machine: it must not control the terminal, fill it, or hold a secret. */
function toSafeLine(text: string): string {
  const line = redact(text).replace(/[\p{Cc}\p{Cf}\s]+/gu, " ");
  return line.length > MAX_MESSAGE_LENGTH ? `${line.slice(0, MAX_MESSAGE_LENGTH)}…` : line;
}

/** Turns a check's error into a finding. Rethrows what is neither CliError nor Skipped. */
function explain(error: unknown, { name }: Check, timeout: CliError): Finding {
  if (error === timeout)
    return warn(`It was not done in time: ${timeout.message.replace(/^N/, "n")}`, {
      remedy: `cloudrun-oauth doctor ${name} --max-time 60s`,
    });
  if (error instanceof Skipped) return skip(error.message);
  if (!(error instanceof CliError)) throw error;
  return (CHECKS_OF_GOOGLE.has(name) ? undefined : explainNoAnswer(error)) ?? failFrom(error);
}

/** The finding of a check that isn't allowed to look something up, or gets no answer; undefined for any other error. */
function explainNoAnswer(error: CliError): Finding | undefined {
  const { code, message, hint, details } = error;
  const more = { ...(hint && { remedy: hint }), details };
  if (isNotEnabled(error)) return skip(`It cannot be looked at: ${message}`, more);
  if (code === "PERMISSION_DENIED") return skip(`It may not be looked at: ${message}`, more);
  if (code === "UNAVAILABLE" || code === "TIMEOUT") return warn(`It could not be looked at: ${message}`, more);
  return undefined;
}
