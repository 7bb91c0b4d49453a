import { resolve } from "node:path";
import { shortImageName } from "../../cloud/images.ts";
import { requirePlace } from "../../cloud/names.ts";
import { defaultImage } from "../../cloud/repository.ts";
import type { Context } from "../../context/context.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { printPlan } from "../../context/print-plan.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { assertDockerfile } from "../up/assert-dockerfile.ts";

export async function build(context: Context, folder: string | undefined): Promise<void> {
  const { settings, terminal, passedArguments: gcloudFlags } = context;
  const directory = resolve(context.cwd, folder ?? ".");
  await assertDockerfile(context, directory);
  const place = requirePlace(settings);
  const given = settings.get("image")?.value;
  const image = given ?? defaultImage({ ...place, service: settings.require("service") });
  const cloud = await context.cloud();
  if (gcloudFlags.includes("--async"))
    throw new CliError("USAGE", "build doesn't support --async.", { hint: "To build in the background, add & to the command." });
  const options = { ...place, directory, image, gcloudFlags };
  if (context.dryRun) return printPlan(terminal, cloud.plan("build", options));
  const text = { running: "Building image", done: `Built ${shortImageName(image)}`, failed: "Build failed" };
  const result = await terminal.step(text, (tell) => cloud.build({ ...options, tell }));
  setOutputs(context.env, "Built", { image: result.image, digest: result.digest });
  if (terminal.json) return terminal.printJson(result);
  terminal.printTable([
    ["IMAGE", result.image],
    ["DIGEST", result.digest],
    ["BUILD", result.id],
    ...(result.log_url === null ? [] : [["LOG", result.log_url]]),
  ]);
  const service = settings.get("service")?.value ?? "SERVICE";
  terminal.nextSteps([nextStep("To deploy the image", "deploy", service, ...(given === undefined ? [] : ["--image", result.image]))]);
}
