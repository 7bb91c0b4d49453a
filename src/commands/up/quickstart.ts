import { readdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { findCredentials } from "../../auth/find-credentials.ts";
import { withCache } from "../../auth/token-cache.ts";
import { requireServiceName } from "../../cloud/names.ts";
import { defaultImage } from "../../cloud/repository.ts";
import type { Context } from "../../context/context.ts";
import { createContext } from "../../context/create-context.ts";
import { mergeEnvironment } from "../../context/merge-environment.ts";
import { printPlan } from "../../context/print-plan.ts";
import { withTemporaryEmulator } from "../../context/start-emulator.ts";
import { copyTemplate } from "../init/copy-template.ts";
import { applyPlan } from "./apply.ts";
import { NO_SERVICE } from "./current-state.ts";
import { printOutcome } from "./print-outcome.ts";
import { createTimedSteps, type RunStep } from "./timed-steps.ts";

const DEFAULT_NAME = "hello-cloud-run";

/** Creates a service and takes it to an authenticated call on an emulator that ends with the command. The folder stays. */
export async function quickstart(context: Context, { dir }: { readonly dir?: string }): Promise<void> {
  const { cwd, settings, terminal } = context;
  const directory = dir === undefined ? await findFreeFolder(cwd) : resolve(cwd, dir);
  const service = settings.flag("service") ?? DEFAULT_NAME;
  const template = settings.require("template");
  if (context.dryRun) return printPlan(terminal, planByHand(directory, template, service));

  const { runStep, add, taken } = createTimedSteps(terminal);
  await runStep("init", `Writing a service from the template ${template}`, () => copyTemplate({ template, directory, service }));
  const startedMs = performance.now();
  const { goal, outcome } = await withTemporaryEmulator(context, async (emulator) => {
    add("emulator", startedMs);
    const { url, project, region, environment } = emulator.status();
    terminal.note(`The emulator answers at ${url}, as project ${project}.`);
    const via = settings.get("via")?.value;
    const flags = { project, region, service, ...(via && { via }) };
    const env = mergeEnvironment(context.env, environment);
    return runAllSteps(createContext({ ...context, env, cwd: directory, flags }), directory, runStep);
  });

  printOutcome(context, goal, outcome, taken);
  const folder = relative(cwd, directory) || ".";
  terminal.note(`The emulator has ended; the service is in ${folder}. Go on:  cd ${folder} && cloudrun-oauth emulator start`);
  if (outcome.invocation.error) throw outcome.invocation.error;
}

/** Does what `up` does, on an emulator that has no service yet. */
async function runAllSteps(context: Context, directory: string, runStep: RunStep) {
  const { settings, terminal } = context;
  const name = requireServiceName(settings);
  const cloud = await context.cloud();
  terminal.note(
    cloud.via === "gcloud" ? "Going by gcloud." : "Going by Google's REST APIs, since gcloud is not installed or --via api was said.",
  );
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

/** Commands that have the same effect. */
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
