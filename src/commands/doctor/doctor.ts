import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { printPlan } from "../../context/print-plan.ts";
import type { CheckGroup } from "./check.ts";
import { runChecks, type CheckResult } from "./run-checks.ts";
import { CHECK_NAMES, CHECK_GROUPS } from "./check-groups.ts";
import { openFacts } from "./facts.ts";

interface DoctorOptions {
  readonly fix?: boolean;
  readonly maxTimeMs?: number;
}

const CHECKS_TIMEOUT_MS = 10_000;

const SYMBOLS = { ok: "✓", warn: "!", fail: "✗", skipped: "-" } as const;

/**
 * Runs the checks, and prints their findings with remedies. With `--fix`, applies the fixes that the user allows, and runs the checks again.
 * Throws, with the code of the first check that failed, if any did.
 */
export async function doctor(
  context: Context,
  names: readonly string[],
  { fix, maxTimeMs = CHECKS_TIMEOUT_MS }: DoctorOptions,
): Promise<void> {
  const { terminal } = context;
  const groups = selectGroups(names);
  const run = () =>
    terminal.task(names.length > 0 ? `Looking at ${names.join(", ")}` : "Looking at everything that usually is wrong", () =>
      runChecks(context, groups, maxTimeMs),
    );
  let results = await run();
  if (context.dryRun) {
    const plan = results.flatMap((result) => result.fix?.plan ?? []);
    return printPlan(terminal, plan);
  }
  if (fix && (await applyFixes(context, results))) results = await run();

  const isEmulated = Boolean(context.env["CLOUDRUN_OAUTH_EMULATOR"]);
  if (isEmulated) results = results.map(forEmulator);
  if (terminal.json) terminal.printJson(results.map(toJson));
  else terminal.print(format(results, isEmulated ? "cloudrun-oauth --emulator doctor" : "cloudrun-oauth doctor", terminal.verbose));
  const failures = results.filter(({ status }) => status === "fail");
  const [first] = failures;
  if (!first) return;
  const count = `${failures.length} of ${results.length} checks failed`;
  throw new CliError(first.code ?? "USAGE", `${count}: ${failures.map(({ name }) => name).join(", ")}.`, {
    hint: first.remedy?.split("\n")[0],
    details: { failed: failures.map(({ name, code }) => ({ name, code })) },
  });
}

/** Returns the groups with the named checks, or with all checks. Throws USAGE for a name that isn't a check's. */
function selectGroups(names: readonly string[]): readonly CheckGroup[] {
  const unknown = names.find((name) => !CHECK_NAMES.includes(name));
  if (unknown !== undefined)
    throw new CliError("USAGE", `There is no check "${unknown}".`, { hint: `There are ${CHECK_NAMES.join(", ")}.` });
  if (names.length === 0) return CHECK_GROUPS;
  return CHECK_GROUPS.map((group) => ({ ...group, checks: group.checks.filter(({ name }) => names.includes(name)) }));
}

/** Applies the fixes that the user allows; true if one was applied. One that fails is reported, and its check fails again. */
async function applyFixes(context: Context, results: readonly CheckResult[]): Promise<boolean> {
  const { terminal } = context;
  const facts = openFacts(context, context.signal);
  let isApplied = false;
  for (const { fix } of results) {
    if (!fix || !(await terminal.confirm(fix.question))) continue;
    try {
      await terminal.task(fix.question.replace(/\?$/, ""), () => fix.apply(facts));
      isApplied = true;
    } catch (error) {
      if (!(error instanceof CliError) || error.code === "INTERRUPTED") throw error;
      terminal.warn(error.message);
    }
  }
  return isApplied;
}

/** Rewrites a remedy so that it works on the emulator in a shell without the emulator's environment. */
function forEmulator({ remedy, ...rest }: CheckResult): CheckResult {
  const emulated = remedy
    ?.replace(/(?<=^|[:?] )gcloud /gm, "cloudrun-oauth emulator exec -- gcloud ")
    .replace(/\bcloudrun-oauth (?!emulator\b|--)/g, "cloudrun-oauth --emulator ");
  return { ...rest, ...(emulated !== undefined && { remedy: emulated }) };
}

function toJson({ name, group, status, message, remedy, code, details, fix }: CheckResult) {
  return { name, group, status, message, remedy: remedy ?? null, code: code ?? null, fixable: fix !== undefined, details: details ?? {} };
}

function format(results: readonly CheckResult[], command: string, isVerbose: boolean): string {
  const lines: string[] = [];
  const width = Math.max(...results.map(({ name }) => name.length));
  const indent = " ".repeat(width + 6);
  for (const group of new Set(results.map(({ group }) => group))) {
    lines.push(...(lines.length > 0 ? [""] : []), group);
    const members = results.filter((result) => result.group === group);
    const [first] = members;
    // A group that is skipped for one reason is one line.
    if (first?.status === "skipped" && members.length > 1 && members.every(({ message }) => message === first.message) && !isVerbose) {
      lines.push(`  ${SYMBOLS.skipped} ${first.message} (${members.map(({ name }) => name).join(", ")})`);
      continue;
    }
    for (const { name, status, message, remedy, details, fix } of members) {
      lines.push(`  ${SYMBOLS[status]} ${name.padEnd(width)}  ${message}`);
      if (remedy && (status === "fail" || status === "warn" || isVerbose))
        lines.push(...remedy.split("\n").map((line) => `${indent}→ ${line}`));
      if (fix && (status === "fail" || status === "warn")) lines.push(`${indent}→ ${command} ${name} --fix`);
      if (isVerbose)
        for (const [key, value] of Object.entries(details ?? {}))
          lines.push(`${indent}${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`);
    }
  }
  const countOf = (status: CheckResult["status"]) => results.filter((result) => result.status === status).length;
  const counts = [`${countOf("ok")} ok`, `${countOf("warn")} to look at`, `${countOf("fail")} failed`, `${countOf("skipped")} skipped`];
  return `${[...lines, "", `${counts.join(", ")}.`].join("\n")}\n`;
}
