import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { printPlan } from "../../context/print-plan.ts";
import type { Group } from "./check.ts";
import { examine, type Examined } from "./run-checks.ts";
import { CHECK_NAMES, GROUPS } from "./groups.ts";
import { openWorld } from "./facts.ts";

interface DoctorOptions {
  readonly fix?: boolean;
  readonly maxTimeMs?: number;
}

const CHECK_TIMEOUT_MS = 10_000;

const SIGNS = { ok: "✔", warn: "!", fail: "✖", skipped: "-" } as const;

/**
 * Checks everything that usually is wrong, and prints what was found with what mends it. Throws, with the code of the first check that failed,
 * where any did; with `--fix`, what may be done without harm is done first, and looked at again.
 */
export async function doctor(
  context: Context,
  names: readonly string[],
  { fix, maxTimeMs = CHECK_TIMEOUT_MS }: DoctorOptions,
): Promise<void> {
  const { terminal } = context;
  const groups = choose(names);
  const look = () =>
    terminal.task(names.length > 0 ? `Looking at ${names.join(", ")}` : "Looking at everything that usually is wrong", () =>
      examine(context, groups, maxTimeMs),
    );
  let found = await look();
  if (context.dryRun) {
    const plan = found.flatMap((each) => each.fix?.plan ?? []);
    return printPlan(terminal, plan);
  }
  if (fix && (await mend(context, found))) found = await look();

  const isEmulated = Boolean(context.env["CLOUDRUN_OAUTH_EMULATOR"]);
  if (isEmulated) found = found.map(forEmulator);
  if (terminal.json) terminal.printJson(found.map(asDocument));
  else terminal.print(write(found, isEmulated ? "cloudrun-oauth --emulator doctor" : "cloudrun-oauth doctor", terminal.verbose));
  const failures = found.filter(({ status }) => status === "fail");
  const [first] = failures;
  if (!first) return;
  const count = `${failures.length} of ${found.length} checks failed`;
  throw new CliError(first.code ?? "USAGE", `${count}: ${failures.map(({ name }) => name).join(", ")}.`, {
    hint: first.remedy?.split("\n")[0],
    details: { failed: failures.map(({ name, code }) => ({ name, code })) },
  });
}

/** The groups with the checks that are named; all of them where none is. USAGE for a name that no check has. */
function choose(names: readonly string[]): readonly Group[] {
  const unknown = names.find((name) => !CHECK_NAMES.includes(name));
  if (unknown !== undefined)
    throw new CliError("USAGE", `There is no check "${unknown}".`, { hint: `There are ${CHECK_NAMES.join(", ")}.` });
  if (names.length === 0) return GROUPS;
  return GROUPS.map((group) => ({ ...group, checks: group.checks.filter(({ name }) => names.includes(name)) }));
}

/** Mends what a person allows; true where anything was done. What does not work is told, and is found again by the next look. */
async function mend(context: Context, found: readonly Examined[]): Promise<boolean> {
  const { terminal } = context;
  const world = openWorld(context, context.signal);
  let done = false;
  for (const { fix } of found) {
    if (!fix || !(await terminal.confirm(fix.question))) continue;
    try {
      await terminal.task(fix.question.replace(/\?$/, ""), () => fix.apply(world));
      done = true;
    } catch (error) {
      if (!(error instanceof CliError) || error.code === "INTERRUPTED") throw error;
      terminal.warn(error.message);
    }
  }
  return done;
}

/** A remedy as it acts on the emulator, where one is acted on: the shell need not have been brought there. */
function forEmulator({ remedy, ...rest }: Examined): Examined {
  const there = remedy
    ?.replace(/(?<=^|[:?] )gcloud /gm, "cloudrun-oauth emulator exec -- gcloud ")
    .replace(/\bcloudrun-oauth (?!emulator\b|--)/g, "cloudrun-oauth --emulator ");
  return { ...rest, ...(there !== undefined && { remedy: there }) };
}

function asDocument({ name, group, status, message, remedy, code, details, fix }: Examined) {
  return { name, group, status, message, remedy: remedy ?? null, code: code ?? null, fixable: fix !== undefined, details: details ?? {} };
}

function write(found: readonly Examined[], again: string, isVerbose: boolean): string {
  const lines: string[] = [];
  const width = Math.max(...found.map(({ name }) => name.length));
  const indent = " ".repeat(width + 6);
  for (const group of new Set(found.map(({ group }) => group))) {
    lines.push(...(lines.length > 0 ? [""] : []), group);
    const members = found.filter((each) => each.group === group);
    const [first] = members;
    // What one reason keeps from being looked at is one line.
    if (first?.status === "skipped" && members.length > 1 && members.every(({ message }) => message === first.message) && !isVerbose) {
      lines.push(`  ${SIGNS.skipped} ${first.message} (${members.map(({ name }) => name).join(", ")})`);
      continue;
    }
    for (const { name, status, message, remedy, details, fix } of members) {
      lines.push(`  ${SIGNS[status]} ${name.padEnd(width)}  ${message}`);
      if (remedy && (status === "fail" || status === "warn" || isVerbose))
        lines.push(...remedy.split("\n").map((line) => `${indent}→ ${line}`));
      if (fix && (status === "fail" || status === "warn")) lines.push(`${indent}→ ${again} ${name} --fix`);
      if (isVerbose)
        for (const [key, value] of Object.entries(details ?? {}))
          lines.push(`${indent}${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`);
    }
  }
  const number = (status: Examined["status"]) => found.filter((each) => each.status === status).length;
  const tally = [`${number("ok")} ok`, `${number("warn")} to look at`, `${number("fail")} failed`, `${number("skipped")} skipped`];
  return `${[...lines, "", `${tally.join(", ")}.`].join("\n")}\n`;
}
