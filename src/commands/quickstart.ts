import { readdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { audienceFor } from "../auth/audience.ts";
import { findCredentials } from "../auth/credentials.ts";
import { writeDocument } from "../call/document.ts";
import { readMember } from "../cloud/member.ts";
import { defaultImage } from "../cloud/repository.ts";
import { createContext, overlay, type Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { withEmulator } from "../local-emulator.ts";
import { printPlan } from "../plan.ts";
import { scaffold } from "../scaffold.ts";

const NAME = "hello-cloud-run";

type Step = <T>(name: string, title: string, work: () => Promise<T>) => Promise<T>;

/** Makes a service, and takes it all the way to an authenticated call on an emulator that ends with it. The folder stays. */
export async function quickstart(context: Context, { dir }: { readonly dir?: string }): Promise<void> {
  const { cwd, settings, terminal } = context;
  const directory = dir === undefined ? await freeFolder(cwd) : resolve(cwd, dir);
  const service = settings.flag("service") ?? NAME;
  const template = settings.require("template");
  if (context.dryRun) return printPlan(terminal, plan(directory, template, service));

  const steps: { name: string; ms: number }[] = [];
  const step: Step = async (name, title, work) => {
    const started = performance.now();
    const result = await terminal.task(title, work);
    steps.push({ name, ms: Math.round(performance.now() - started) });
    return result;
  };

  await step("init", `Writing a service from the template ${template}`, () => scaffold({ template, directory, service }));
  const starting = performance.now();
  const walked = await withEmulator(context, async (emulator) => {
    steps.push({ name: "emulator", ms: Math.round(performance.now() - starting) });
    const { url, project, region, environment } = emulator.status();
    terminal.note(`The emulator answers at ${url}, as project ${project}.`);
    const via = settings.get("via")?.value;
    const flags = { project, region, service, ...(via && { via }) };
    return walk(createContext({ ...context, env: overlay(context.env, environment), cwd: directory, flags }), directory, step);
  });

  const { invoke, ...facts } = walked;
  if (terminal.json) terminal.printJson({ ...facts, invoke: JSON.parse(invoke.document) as unknown, steps });
  else terminal.print(invoke.document);
  const folder = relative(cwd, directory) || ".";
  terminal.note(`The emulator has ended; the service is in ${folder}. Go on:  cd ${folder} && cloudrun-oauth emulator start`);
  if (invoke.status >= 400)
    throw new CliError("HTTP_STATUS", `The service answered ${invoke.status}.`, { details: { status_code: invoke.status } });
}

/** The road, in a context that leads to the emulator. */
async function walk(context: Context, directory: string, step: Step) {
  const { send, settings, terminal } = context;
  const name = { service: settings.require("service"), project: settings.require("project"), region: settings.require("region") };
  const image = defaultImage(name);
  const cloud = await context.cloud();
  terminal.note(
    cloud.via === "gcloud" ? "Going by gcloud." : "Going by Google's REST APIs, since gcloud is not installed or --via api was said.",
  );

  await step("build", `Building ${image}`, () => cloud.build({ ...name, directory, image }));
  const { url, revision } = await step("deploy", `Deploying ${name.service}`, () => cloud.deploy({ ...name, image }));
  const refused = await step("refuse", "Calling it without a credential", async () => {
    const response = await send({ method: "GET", url });
    await response.bytes();
    if (response.status !== 403)
      throw new CliError("EMULATOR_FAILED", `A call without a credential was answered ${response.status}, not 403.`);
    return { status_code: response.status };
  });
  terminal.note(`  ${refused.status_code}: refused, as it has to be.`);
  const member = readMember(settings.require("member"));
  await step("grant", `Granting roles/run.invoker to ${member}`, () => cloud.grant({ ...name, member, role: "roles/run.invoker" }));
  const invoke = await step("invoke", `Calling it as ${member}`, async () => {
    const credentials = await findCredentials(settings.get("credentials"), { send, env: context.env });
    const token = await credentials.fetchIdToken(audienceFor(new URL(url)));
    const response = await send({ method: "GET", url, headers: [["Authorization", `Bearer ${token}`]] });
    return { status: response.status, document: writeDocument({ ...response, bytes: await response.bytes() }) };
  });
  return { ...name, url, image, revision, member, refused, invoke };
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
