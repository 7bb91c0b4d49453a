import { resolve } from "node:path";
import { findCredentials } from "../../auth/find-credentials.ts";
import { withCache } from "../../auth/token-cache.ts";
import { requireServiceName } from "../../cloud/names.ts";
import { defaultImage } from "../../cloud/repository.ts";
import { digestSource } from "../../cloud/source/digest.ts";
import type { Context } from "../../context/context.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { printPlan } from "../../context/print-plan.ts";
import { CliError } from "../../errors/cli-error.ts";
import { applyPlan } from "./apply.ts";
import { NO_SERVICE } from "./current-state.ts";
import { assertDockerfile } from "./assert-dockerfile.ts";
import { sourceTag } from "./ownership-labels.ts";
import { describeAction, isChange, planSteps, type Goal } from "./plan.ts";
import { printOutcome } from "./print-outcome.ts";
import { knownMember, readUpState } from "./read-up-state.ts";
import { createTimedSteps } from "./timed-steps.ts";

interface UpFlags {
  readonly check?: string;
  readonly plan?: boolean;
}

/**
 * Takes a folder to an authenticated call: builds, deploys and grants access, and verifies that the service refuses strangers and accepts the
 * caller. Skips what is done already, so that a run goes on where an interrupted one ended. Throws as each step does, and HTTP_STATUS if the service
 * answers 400 or above.
 */
export async function up(outerContext: Context, folder: string | undefined, { check, plan }: UpFlags): Promise<void> {
  const directory = resolve(outerContext.cwd, folder ?? ".");
  await assertDockerfile(directory);
  const context = outerContext.within(directory);
  const { settings, terminal, signal } = context;
  const goal = await readGoal(context, directory, check);
  // Credentials that are missing end the command here rather than after the build.
  const credentials = withCache(await findCredentials(settings.get("credentials"), context), context);
  const cloud = await context.cloud();
  if (context.dryRun) {
    const member = knownMember(context, credentials);
    const steps = planSteps(goal, { ...NO_SERVICE, isImageBuilt: false, ...(member !== undefined && { member }) });
    return printPlan(
      terminal,
      steps.flatMap(({ action }) => describeAction(cloud, goal, "SERVICE_URL", action)),
    );
  }

  const { runStep, taken } = createTimedSteps(terminal);
  try {
    const [state, steps] = await runStep("look", `Looking at ${goal.service} in ${goal.project}`, async () => {
      const current = await readUpState(context, goal, { cloud, credentials });
      return [current, planSteps(goal, current)] as const;
    });
    if (plan) {
      const rows = steps.map((step) => ({
        name: step.name,
        change: isChange(step),
        why: step.why,
        lines: describeAction(cloud, goal, state.service?.url ?? "SERVICE_URL", step.action),
      }));
      if (!terminal.json) return terminal.printTable(rows.map(({ name, change, why }) => [name, change ? "change" : "-", why]));
      const { service, project, region, image } = goal;
      return terminal.printJson({ service, project, region, image, changes: rows.filter(({ change }) => change).length, steps: rows });
    }
    for (const { note } of steps) if (note !== undefined) terminal.note(note);
    const outcome = await applyPlan(context, goal, state, { cloud, runStep, credentials });
    const { service, invocation } = outcome;
    setOutputs(context.env, `${goal.service} is up`, {
      url: service.url,
      revision: service.revision,
      image: goal.image,
      status_code: invocation.status,
    });
    printOutcome(context, goal, outcome, taken);
    if (invocation.error) throw invocation.error;
    terminal.note(`${goal.service} is up at ${service.url}, revision ${service.revision}.`);
  } catch (error) {
    if (signal.aborted) terminal.note("What is done stays, and the next up goes on from there.");
    throw error;
  }
}

/** Reads what the flags and settings ask for. Throws USAGE if it can't be built or checked. */
async function readGoal({ settings }: Context, directory: string, check: string | undefined): Promise<Goal> {
  if (check !== undefined && !check.startsWith("/"))
    throw new CliError("USAGE", `--check ${check} is no path: it begins with a slash.`, { hint: "For example: --check /healthz" });
  const name = requireServiceName(settings);
  const image = settings.get("image")?.value ?? defaultImage(name);
  if (image.includes("@"))
    throw new CliError("USAGE", "An image with a digest cannot be built.", { hint: "Say --image with a name, or leave it out." });
  const tag = sourceTag(await digestSource(directory));
  return { ...name, directory, image: `${image.replace(/:[^:/]*$/, "")}:${tag}`, ...(check !== undefined && { check }) };
}
