import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { findCredentials } from "../../auth/find-credentials.ts";
import { withCache } from "../../auth/token-cache.ts";
import { requireServiceName } from "../../cloud/names.ts";
import { defaultImage } from "../../cloud/repository.ts";
import type { Context } from "../../context/context.ts";
import { createContext } from "../../context/create-context.ts";
import { mergeEnvironment } from "../../context/merge-environment.ts";
import { printPlan } from "../../context/print-plan.ts";
import { relativePath } from "../../context/relative-path.ts";
import { withTemporaryEmulator } from "../../context/start-emulator.ts";
import type { Emulator } from "../../emulator/index.ts";
import { nextStep } from "../../errors/next-step.ts";
import { copyTemplate } from "../init/copy-template.ts";
import { applyPlan, printOutcome } from "./apply.ts";
import { NO_SERVICE } from "./current-state.ts";
import { createTimedSteps, type RunStep } from "./timed-steps.ts";

const DEFAULT_NAME = "hello-cloud-run";

/** Creates a service, and does what `up` does on an emulator that stops with the command. The folder stays. */
export async function quickstart(context: Context, { dir }: { readonly dir?: string }): Promise<void> {
  const { cwd, settings, terminal } = context;
  const directory = dir === undefined ? await findFreeFolder(cwd) : resolve(cwd, dir);
  const service = settings.flag("service") ?? DEFAULT_NAME;
  const template = settings.require("template");
  if (context.dryRun) return printPlan(terminal, planByHand(directory, template, service));

  const { runStep, taken } = createTimedSteps(terminal);
  const shownPath = relativePath(cwd, directory);
  const writing = { running: "Creating the service", done: `Created ${shownPath} from the ${template} template`, failed: "Not created" };
  await runStep("init", writing, () => copyTemplate({ template, directory, service }));
  const starting = {
    running: "Starting emulator",
    done: ({ url }: Emulator) => `Started emulator at ${url}`,
    failed: "Emulator didn't start",
  };
  const work = (emulator: Emulator) => {
    const { project, region, environment } = emulator.status();
    const via = settings.get("via")?.value;
    const flags = { project, region, service, ...(via && { via }) };
    const env = mergeEnvironment(context.env, environment);
    return runAllSteps(createContext({ ...context, env, cwd: directory, flags }), directory, runStep);
  };
  const { goal, outcome } = await withTemporaryEmulator(context, work, (start) => runStep("emulator", starting, start));

  printOutcome(context, goal, outcome, taken);
  terminal.note(`\nThe emulator has stopped. The service's source is in ${shownPath}.`);
  const steps = [
    nextStep("To start an emulator that keeps running", "emulator", "start", "--detach"),
    nextStep("To deploy to the emulator", "up", "--emulator"),
    nextStep("To deploy to Google Cloud", "up", "--project", "PROJECT_ID"),
  ];
  terminal.nextSteps(steps, directory);
}

/** Does what `up` does, on an emulator that has no service yet. */
async function runAllSteps(context: Context, directory: string, runStep: RunStep) {
  const { settings, terminal } = context;
  const name = requireServiceName(settings);
  const cloud = await context.cloud();
  const reason = settings.get("via") ? "" : " (gcloud isn't installed)";
  terminal.note(cloud.via === "gcloud" ? "Using gcloud." : `Using the Google Cloud APIs${reason}.`);
  const credentials = withCache(await findCredentials(settings.get("credentials"), context), context, { cache: false });
  const goal = { ...name, directory, image: defaultImage(name) };
  const state = { ...NO_SERVICE, isImageBuilt: false };
  return { goal, outcome: await applyPlan(context, goal, state, { cloud, runStep, credentials, isAlone: true }) };
}

/** `hello-cloud-run`, or the first of `hello-cloud-run-2`, `-3`, … that is empty or doesn't exist. */
async function findFreeFolder(cwd: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const directory = join(cwd, number === 1 ? DEFAULT_NAME : `${DEFAULT_NAME}-${number}`);
    const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? [] : ["unreadable"]));
    if (names.length === 0) return directory;
  }
}

function planByHand(directory: string, template: string, service: string): string[] {
  const folder = `--cwd ${directory} --service ${service}`;
  return [
    `cloudrun-oauth init ${directory} --template ${template} --service ${service}`,
    "cloudrun-oauth emulator start --ephemeral --port 0",
    `cloudrun-oauth --emulator build ${folder}`,
    `cloudrun-oauth --emulator deploy ${folder}`,
    "curl https://SERVICE_URL",
    `cloudrun-oauth --emulator grant ${folder} --member caller@cloudrun-local.iam.gserviceaccount.com`,
    `cloudrun-oauth --emulator invoke ${folder}`,
    "cloudrun-oauth emulator stop",
  ];
}
