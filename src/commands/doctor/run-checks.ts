import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { redact } from "../../errors/redact.ts";
import { failed, skip, Skipped, warn, type Check, type Finding, type Group } from "./check.ts";
import { unseen } from "./unseen.ts";
import { openWorld, type World } from "./facts.ts";

/** What a check has found, with its name and its group's title. */
export interface Examined extends Finding {
  readonly name: string;
  readonly group: string;
}

/** Runs checks at the same time, each for as long as `limit` (milliseconds) lasts. Throws the context's reason where it is aborted, and nothing else. */
export async function examine(context: Context, groups: readonly Group[], limit: number): Promise<Examined[]> {
  const end = new AbortController();
  const late = new CliError("TIMEOUT", `Not done after ${limit / 1000} s.`);
  const timer = setTimeout(() => end.abort(late), limit);
  const signal = AbortSignal.any([context.signal, end.signal]);
  const over = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  // Where all checks are done in time, nobody waits for it.
  over.catch(() => {});
  const world = openWorld(context, signal);
  try {
    return await Promise.all(
      groups.flatMap(({ title, checks }) =>
        checks.map(async (check) => ({ name: check.name, group: title, ...(await runCheck(check, world, over, late)) })),
      ),
    );
  } finally {
    clearTimeout(timer);
    // What still hangs is of no more interest.
    end.abort(late);
    context.signal.throwIfAborted();
  }
}

async function runCheck(check: Check, world: World, over: Promise<never>, late: CliError): Promise<Finding> {
  const found = await settle(check, world, over, late);
  const isWell = found.status === "ok" || found.status === "skipped";
  const remedy = found.remedy ?? (isWell ? undefined : (check.remedy ?? `cloudrun-oauth doctor ${check.name} --verbose`));
  return { ...found, message: inOneLine(found.message), ...(remedy !== undefined && { remedy }) };
}

/** What another machine says can neither write on the terminal nor fill it, and holds no secret. */
function inOneLine(text: string): string {
  const line = redact(text).replace(/[\p{Cc}\p{Cf}\s]+/gu, " ");
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

/** Characters. */
const LONGEST = 600;

async function settle(check: Check, world: World, over: Promise<never>, late: CliError): Promise<Finding> {
  try {
    return await Promise.race([check.run(world), over]);
  } catch (error) {
    if (error === late)
      return warn(`It was not done in time: ${late.message.replace(/^N/, "n")}`, {
        remedy: `cloudrun-oauth doctor ${check.name} --max-time 60s`,
      });
    if (error instanceof Skipped) return skip(error.message);
    if (error instanceof CliError) return (LOOKS_AT_GOOGLE.has(check.name) ? undefined : unseen(error)) ?? failed(error);
    throw error;
  }
}

/** Of these, what Google or the way to it says is the finding itself. */
const LOOKS_AT_GOOGLE = new Set([
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
