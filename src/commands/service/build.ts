import { resolve } from "node:path";
import { shortImageName } from "../../cloud/images.ts";
import { defaultImage } from "../../cloud/repository.ts";
import { requirePlace } from "../../cloud/names.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { printPlan } from "../../context/print-plan.ts";
import { assertDockerfile } from "../up/assert-dockerfile.ts";

/** Builds a folder's Dockerfile with Cloud Build. */
export async function build(context: Context, folder: string | undefined): Promise<void> {
  const { settings, terminal } = context;
  const directory = resolve(context.cwd, folder ?? ".");
  await assertDockerfile(directory);
  const place = requirePlace(settings);
  const image = settings.get("image")?.value ?? defaultImage({ ...place, service: settings.require("service") });

  const cloud = await context.cloud();
  assertWaitedFor(context.passedArguments);
  const options = { ...place, directory, image, gcloudFlags: context.passedArguments };
  if (context.dryRun) return printPlan(terminal, cloud.plan("build", options));
  const name = shortImageName(image);
  const text = { running: `Building ${name}`, done: `Built ${name}`, failed: "Build failed" };
  const result = await terminal.step(text, (tell) => cloud.build({ ...options, tell }));
  setOutputs(context.env, "Built", { image: result.image, digest: result.digest });
  if (terminal.json) return terminal.printJson(result);
  terminal.printTable([
    ["IMAGE", result.image],
    ["DIGEST", result.digest],
    ["BUILD", result.id],
    ...(result.log_url === null ? [] : [["LOG", result.log_url]]),
  ]);
}

/** The command prints the result of the build. */
function assertWaitedFor(flags: readonly string[]): void {
  if (flags.includes("--async"))
    throw new CliError("USAGE", "build waits until the image is there, and --async would not.", {
      hint: "Leave it out, or let your shell do it: cloudrun-oauth build &",
    });
}
