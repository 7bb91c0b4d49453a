import { resolve } from "node:path";
import { defaultImage } from "../cloud/repository.ts";
import type { Context } from "../context.ts";
import { setOutputs } from "../github-actions.ts";
import { printPlan } from "../plan.ts";
import { assertDockerfile } from "../road/folder.ts";

/** Builds a folder's Dockerfile with Cloud Build. */
export async function build(context: Context, folder: string | undefined): Promise<void> {
  const { settings, terminal } = context;
  const directory = resolve(context.cwd, folder ?? ".");
  await assertDockerfile(directory);
  const place = { project: settings.require("project"), region: settings.require("region") };
  const image = settings.get("image")?.value ?? defaultImage({ ...place, service: settings.require("service") });

  const cloud = await context.cloud();
  const options = { ...place, directory, image };
  if (context.dryRun) return printPlan(terminal, cloud.plan("build", options));
  const result = await terminal.task(`Building ${image}`, () => cloud.build(options));
  setOutputs(context.env, "Built", { image: result.image, digest: result.digest });
  if (terminal.json) return terminal.printJson(result);
  terminal.printTable([
    ["IMAGE", result.image],
    ["DIGEST", result.digest],
    ["BUILD", result.id],
    ...(result.log_url === null ? [] : [["LOG", result.log_url]]),
  ]);
}
