import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { suggestMatch } from "../../errors/closest-match.ts";
import { printPlan } from "../../context/print-plan.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { CheckGroup } from "./check.ts";
import { runChecks, type CheckResult } from "./run-checks.ts";
import { CHECK_NAMES, CHECK_GROUPS } from "./check-groups.ts";
import { openFacts } from "./facts.ts";

interface DoctorOptions {
  readonly fix?: boolean;
  readonly maxTimeMs?: number;
}

const CHECKS_TIMEOUT_MS = 10_000;

const SIGNS = { ok: ["✓", "green"], warn: ["!", "yellow"], fail: ["✗", "red"], skipped: ["-", "dim"] } as const;

/**
 * Runs the checks, and prints their findings with what fixes them. With `--fix`, applies the fixes that the user allows, and runs the checks again.
 * Throws, with the code of the first check that failed, if any did.
 */
export async function doctor(
  context: Context,
  names: readonly string[],
  { fix, maxTimeMs = CHECKS_TIMEOUT_MS }: DoctorOptions,
): Promise<void> {
  const { terminal } = context;
  const groups = selectGroups(names);
  const count = groups.flatMap(({ checks }) => checks).length;
  const run = (onStart?: Parameters<typeof runChecks>[3]) =>
    terminal.wait(`Running ${count} ${count === 1 ? "check" : "checks"}`, () => runChecks(context, groups, maxTimeMs, onStart));
  if (context.dryRun)
    return printPlan(
      terminal,
      (await run()).flatMap((result) => result.fix?.plan ?? []),
    );
  if (fix) await applyFixes(context, await run());

  const results = await run(terminal.json ? undefined : (pending) => printAsTheyEnd(terminal, groups, pending));
  if (terminal.json) terminal.printJson(results.map((result) => toJson(terminal, result)));
  else terminal.print(`\n${summarize(results)}\n`);
  const failures = results.filter(({ status }) => status === "fail");
  const [first] = failures;
  if (!first) return;
  const message = `${failures.length} of ${results.length} checks failed: ${failures.map(({ name }) => name).join(", ")}.`;
  throw new CliError(first.code ?? "USAGE", message, {
    hint: first.hint,
    next: first.next,
    details: { failed: failures.map(({ name, code }) => ({ name, code })) },
  });
}

/** Returns the groups with the named checks, or with all checks. Throws USAGE for a name that isn't a check's. */
function selectGroups(names: readonly string[]): readonly CheckGroup[] {
  const unknown = names.find((name) => !CHECK_NAMES.includes(name));
  if (unknown !== undefined) {
    const hint = suggestMatch(unknown, CHECK_NAMES) ?? `Checks: ${CHECK_NAMES.join(", ")}.`;
    throw new CliError("USAGE", `Unknown check "${unknown}".`, { hint });
  }
  if (names.length === 0) return CHECK_GROUPS;
  return CHECK_GROUPS.map((group) => ({ ...group, checks: group.checks.filter(({ name }) => names.includes(name)) }));
}

/** Applies the fixes that the user allows. One that fails is reported, and its check fails again. */
async function applyFixes(context: Context, results: readonly CheckResult[]): Promise<void> {
  const { terminal } = context;
  const facts = openFacts(context, context.signal);
  for (const { fix } of results) {
    if (!fix || !(await terminal.confirm(fix.question))) continue;
    try {
      await terminal.step(fix, () => fix.apply(facts));
    } catch (error) {
      if (!(error instanceof CliError) || error.code === "INTERRUPTED") throw error;
      terminal.warn(error.message);
    }
  }
}

function toJson(terminal: Terminal, { name, group, status, message, hint, next = [], code, details, fix }: CheckResult) {
  const remedy = next.length > 0 ? next.map((step) => terminal.formatCommand(step)).join("\n") : (hint ?? null);
  return { name, group, status, message, remedy, code: code ?? null, fixable: fix !== undefined, details: details ?? {} };
}

/** Prints the findings in order, on a terminal each as soon as it and those above it are there. */
async function printAsTheyEnd(terminal: Terminal, groups: readonly CheckGroup[], pending: readonly Promise<CheckResult>[]): Promise<void> {
  if (!terminal.interactive) await Promise.all(pending);
  const width = Math.max(...groups.flatMap(({ checks }) => checks.map(({ name }) => name.length)));
  const queue = [...pending];
  let margin = "";
  for (const { title, checks } of groups.filter((group) => group.checks.length > 0)) {
    const members = queue.splice(0, checks.length);
    const first = await members[0];
    terminal.print(`${margin}${terminal.style("bold", title)}\n`);
    margin = "\n";
    // A group that is skipped for one reason is one line.
    if (first?.status === "skipped" && members.length > 1 && !terminal.verbose) {
      const results = await Promise.all(members);
      if (results.every(({ message }) => message === first.message)) {
        terminal.print(`  ${terminal.style("dim", `- ${first.message} (${results.map(({ name }) => name).join(", ")})`)}\n`);
        continue;
      }
    }
    for (const member of members) terminal.print(formatResult(terminal, await member, width));
  }
}

function formatResult({ formatCommand, style, verbose }: Terminal, result: CheckResult, width: number): string {
  const { name, status, message, hint, next = [], details = {} } = result;
  const [sign, color] = SIGNS[status];
  const lines = [`  ${style(color, sign)} ${name.padEnd(width)}  ${message}`];
  const indent = " ".repeat(width + 6);
  if (status === "fail" || status === "warn" || verbose) {
    if (hint) lines.push(`${indent}${hint}`);
    for (const step of next) lines.push(`${indent}${step.text}:`, `${indent}  ${formatCommand(step)}`);
  }
  if (verbose)
    for (const [key, value] of Object.entries(details))
      lines.push(`${indent}${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return lines.map((line) => `${line}\n`).join("");
}

function summarize(results: readonly CheckResult[]): string {
  const count = (status: CheckResult["status"]) => results.filter((result) => result.status === status).length;
  const [warnings, skipped] = [count("warn"), count("skipped")];
  const counts = [`${count("ok")} passed`, `${warnings} ${warnings === 1 ? "warning" : "warnings"}`, `${count("fail")} failed`];
  return [...counts, ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(", ");
}
