import { existsSync } from "node:fs";
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
import { nextStep } from "../../errors/next-step.ts";
import { applyPlan, printOutcome } from "./apply.ts";
import { assertDockerfile } from "./assert-dockerfile.ts";
import { NO_SERVICE } from "./current-state.ts";
import { sourceTag } from "./ownership-labels.ts";
import { describeAction, isChange, planSteps, type Goal } from "./plan.ts";
import { knownMember, readUpState } from "./read-up-state.ts";
import { createTimedSteps } from "./timed-steps.ts";

interface UpFlags {
  readonly check?: string;
  readonly plan?: boolean;
}

/** Builds, deploys, grants access, and verifies it; skips what is done already. Throws as each step does, and HTTP_STATUS for a status from 400. */
export async function up(outerContext: Context, folder: string | undefined, { check, plan }: UpFlags): Promise<void> {
  const { cwd } = outerContext;
  // In a service's own folder, its name means the folder.
  const isOwnName = folder === outerContext.settings.get("service")?.value && !existsSync(resolve(cwd, folder ?? ""));
  const directory = resolve(cwd, isOwnName ? "." : (folder ?? "."));
  await assertDockerfile(outerContext, directory);
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
    const [state, steps] = await runStep("look", `Checking ${goal.service}`, async () => {
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
      if (!terminal.json) {
        const cells = rows.map(({ name, change, why }) => [name, change ? terminal.style("yellow", "change") : "-", why]);
        return terminal.printTable(cells, { header: ["step", "action", "reason"] });
      }
      const { service, project, region, image } = goal;
      return terminal.printJson({ service, project, region, image, changes: rows.filter(({ change }) => change).length, steps: rows });
    }
    for (const { note } of steps) if (note !== undefined) terminal.note(note);
    const outcome = await applyPlan(context, goal, state, { cloud, runStep, credentials });
    const { url, revision } = outcome.service;
    const outputs = { url, revision, image: goal.image, status_code: outcome.invocation.status };
    setOutputs(context.env, `Deployed ${goal.service}`, outputs);
    printOutcome(context, goal, outcome, taken);
    terminal.note(`\n${goal.service} is running at ${url} (revision ${revision}).`);
    terminal.nextSteps([
      ...steps.flatMap(({ next = [] }) => next),
      nextStep("To call it", "invoke", goal.service),
      nextStep("To see its logs", "logs", goal.service),
      nextStep("To delete everything that up created", "down", goal.service),
    ]);
  } catch (error) {
    if (signal.aborted) terminal.note("Completed steps are kept. Run `up` again to continue.");
    throw error;
  }
}

/** Reads what the flags and settings ask for. Throws USAGE if it can't be built or checked. */
async function readGoal({ settings }: Context, directory: string, check: string | undefined): Promise<Goal> {
  if (check !== undefined && !check.startsWith("/")) throw new CliError("USAGE", '--check must start with "/", for example /health.');
  const name = requireServiceName(settings);
  const image = settings.get("image")?.value ?? defaultImage(name);
  if (image.includes("@"))
    throw new CliError("USAGE", "--image can't contain a digest.", { hint: "Pass the image's name without a digest, or omit --image." });
  const tag = sourceTag(await digestSource(directory));
  return { ...name, directory, image: `${image.replace(/:[^:/]*$/, "")}:${tag}`, ...(check !== undefined && { check }) };
}
