import { readdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { findCredentials } from "../../auth/find-credentials.ts";
import { withCache } from "../../auth/token-cache.ts";
import { defaultImage } from "../../cloud/repository.ts";
import { createContext } from "../../context/create-context.ts";
import { mergeEnvironment } from "../../context/merge-environment.ts";
import type { Context } from "../../context/context.ts";
import { withTemporaryEmulator } from "../../context/start-emulator.ts";
import { printPlan } from "../../context/print-plan.ts";
import { createSteps, type Step } from "./steps.ts";
import { walk } from "./apply.ts";
import { scaffold } from "../init/copy-template.ts";

const NAME = "hello-cloud-run";

/** Makes a service, and takes it all the way to an authenticated call on an emulator that ends with it. The folder stays. */
export async function quickstart(context: Context, { dir }: { readonly dir?: string }): Promise<void> {
  const { cwd, settings, terminal } = context;
  const directory = dir === undefined ? await freeFolder(cwd) : resolve(cwd, dir);
  const service = settings.flag("service") ?? NAME;
  const template = settings.require("template");
  if (context.dryRun) return printPlan(terminal, plan(directory, template, service));

  const steps = createSteps(terminal);
  const { step } = steps;
  await step("init", `Writing a service from the template ${template}`, () => scaffold({ template, directory, service }));
  const starting = performance.now();
  const walked = await withTemporaryEmulator(context, async (emulator) => {
    steps.note("emulator", starting);
    const { url, project, region, environment } = emulator.status();
    terminal.note(`The emulator answers at ${url}, as project ${project}.`);
    const via = settings.get("via")?.value;
    const flags = { project, region, service, ...(via && { via }) };
    return walkRoad(createContext({ ...context, env: mergeEnvironment(context.env, environment), cwd: directory, flags }), directory, step);
  });

  const { invoke, ...facts } = walked;
  if (terminal.json) terminal.printJson({ ...facts, invoke: JSON.parse(invoke.document) as unknown, steps: steps.taken });
  else terminal.print(invoke.document);
  const folder = relative(cwd, directory) || ".";
  terminal.note(`The emulator has ended; the service is in ${folder}. Go on:  cd ${folder} && cloudrun-oauth emulator start`);
  if (invoke.error) throw invoke.error;
}

/** The road, in a context that leads to the emulator. */
async function walkRoad(context: Context, directory: string, step: Step) {
  const { settings, terminal } = context;
  const name = { service: settings.require("service"), project: settings.require("project"), region: settings.require("region") };
  const cloud = await context.cloud();
  terminal.note(
    cloud.via === "gcloud" ? "Going by gcloud." : "Going by Google's REST APIs, since gcloud is not installed or --via api was said.",
  );
  const credentials = withCache(await findCredentials(settings.get("credentials"), context), context, { cache: false });
  const nothing = { service: undefined, policy: { bindings: [], etag: "" } };
  const all = { build: "nothing is there yet", deploy: "nothing is there yet" };
  return walk(context, { ...name, directory, image: defaultImage(name) }, nothing, all, { cloud, step, credentials, isAlone: true });
}

/** `hello-cloud-run`, or the first of `hello-cloud-run-2`, `-3`, … that is not taken. */
async function freeFolder(cwd: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const directory = join(cwd, number === 1 ? NAME : `${NAME}-${number}`);
    const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? [] : ["taken"]));
    if (names.length === 0) return directory;
  }
}

function plan(directory: string, template: string, service: string): string[] {
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
