import { resolve } from "node:path";
import { findCredentials } from "../../auth/find-credentials.ts";
import { withCache } from "../../auth/token-cache.ts";
import { readMember } from "../../cloud/member.ts";
import { defaultImage } from "../../cloud/repository.ts";
import { digestSource } from "../../cloud/source/digest.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { printPlan } from "../../context/print-plan.ts";
import { compare } from "./diff.ts";
import { assertDockerfile } from "./dockerfile.ts";
import { assertPrivate, survey } from "./current-state.ts";
import { sourceTag } from "./ownership-labels.ts";
import { planWalk } from "./plan.ts";
import { createSteps } from "./steps.ts";
import { walk } from "./apply.ts";

interface UpFlags {
  /** A path that a candidate has to answer with less than 400 before it gets traffic. */
  readonly check?: string;
  /** Looks, and says what would be done. */
  readonly plan?: boolean;
}

/**
 * Takes a folder to an authenticated call: builds, deploys, grants, and proves that the service refuses strangers and lets the caller in. What is
 * done already is not done again, so it goes on where it was ended. Throws as each step does, and HTTP_STATUS where the service answers 400 or above.
 */
export async function up(here: Context, folder: string | undefined, { check, plan }: UpFlags): Promise<void> {
  const directory = resolve(here.cwd, folder ?? ".");
  await assertDockerfile(directory);
  const context = here.within(directory);
  const { settings, terminal, signal } = context;
  if (check !== undefined && !check.startsWith("/"))
    throw new CliError("USAGE", `--check ${check} is no path: it begins with a slash.`, { hint: "For example: --check /healthz" });
  const name = { service: settings.require("service"), project: settings.require("project"), region: settings.require("region") };
  const image = settings.get("image")?.value ?? defaultImage(name);
  if (/@/.test(image))
    throw new CliError("USAGE", "An image with a digest cannot be built.", { hint: "Say --image with a name, or leave it out." });
  // Better now than after the build.
  const credentials = withCache(await findCredentials(settings.get("credentials"), context), context);
  const cloud = await context.cloud();

  const steps = createSteps(terminal);
  const { step } = steps;
  const wanted = { ...name, directory, image: `${image.replace(/:[^:/]*$/, "")}:${sourceTag(await digestSource(directory))}` };
  const member = settings.get("member")?.value;
  const caller = member === undefined ? credentials.principal : readMember(member);
  const options = { cloud, check, member: caller };
  if (context.dryRun) {
    const todo = { build: "", deploy: "" };
    return printPlan(
      terminal,
      planWalk(wanted, { service: undefined, policy: undefined }, todo, options).flatMap(({ lines }) => lines),
    );
  }

  try {
    const [ground, reasons] = await step("look", `Looking at ${name.service} in ${name.project}`, async () => {
      const found = await survey(cloud, name);
      assertPrivate(found);
      return [found, await compare(cloud, wanted, found)] as const;
    });
    if (plan) {
      const planned = planWalk(wanted, ground, reasons, options);
      if (terminal.json)
        return terminal.printJson({ ...name, image: wanted.image, changes: planned.filter((each) => each.change).length, steps: planned });
      return terminal.printTable(planned.map((each) => [each.name, each.change ? "change" : "-", each.why]));
    }
    if (reasons.deploy === undefined) terminal.note(`  ${name.service} runs this source: nothing to build, nothing to deploy.`);
    else if (reasons.build === undefined) terminal.note(`  The image of this source is there: nothing to build.`);
    const { invoke, ...facts } = await walk(context, wanted, ground, reasons, { cloud, step, credentials, check });

    setOutputs(context.env, `${name.service} is up`, {
      url: facts.url,
      revision: facts.revision,
      image: facts.image,
      status_code: invoke.status,
    });
    if (terminal.json) terminal.printJson({ ...facts, invoke: JSON.parse(invoke.document) as unknown, steps: steps.taken });
    else terminal.print(invoke.document);
    if (invoke.error) throw invoke.error;
    terminal.note(`${name.service} is up at ${facts.url}, revision ${facts.revision}.`);
  } catch (error) {
    if (signal.aborted) terminal.note("What is done stays, and the next up goes on from there.");
    throw error;
  }
}
