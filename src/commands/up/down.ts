import { defaultImage, parseRepository } from "../../cloud/repository.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { ServiceName } from "../../cloud/names.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { printPlan } from "../../context/print-plan.ts";
import { INVOKER } from "./current-state.ts";
import { findCreatedResources, listCreatedResources, type CreatedResources } from "./created-resources.ts";
import { createSteps } from "./steps.ts";

/** Removes what `up` has made of a service, after showing it, and nothing else. It may be interrupted: the next one goes on. */
export async function down(context: Context, argument: string | undefined, { plan }: { readonly plan?: boolean }): Promise<void> {
  const { settings, terminal } = context;
  const name = { service: settings.require("service", argument), project: settings.require("project"), region: settings.require("region") };
  // The image that is set is that of the service that is set.
  const set = name.service === settings.get("service")?.value ? settings.get("image")?.value : undefined;
  const image = (set ?? defaultImage(name)).replace(/:[^:/]*$/, "");
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, planDown(cloud, name, image));

  const steps = createSteps(terminal);
  const found = await steps.step("look", `Looking for what up has made of ${name.service}`, () => findCreatedResources(cloud, name, image));
  const things = listCreatedResources(found).map(([kind, thing]) => ({ kind, name: thing }));
  for (const { kind, name: thing } of things) terminal.note(`  ${kind.padEnd(10)}  ${thing}`);
  tellWhatStays(context, found);
  if (plan || things.length === 0) {
    if (things.length === 0) terminal.note(`There is nothing of ${name.service} that up has made.`);
    return show(context, name, { [plan ? "would_remove" : "removed"]: things });
  }
  if (!(await terminal.confirm(`Remove ${things.length === 1 ? "this" : `these ${things.length}`} in project ${name.project}?`)))
    throw new CliError("INTERRUPTED", "Nothing was removed.");
  await remove(cloud, name, found, steps.step);
  return show(context, name, { removed: things, steps: steps.taken });
}

/** The lines for a service that `up` has made; what they find decides which of them are needed. */
function planDown(cloud: Cloud, name: ServiceName, image: string): string[] {
  const repository = parseRepository(image);
  const stored = repository && [
    ...cloud.plan("images", repository),
    ...cloud.plan("repository", repository),
    ...cloud.plan("delete", name),
    ...cloud.plan("deleteImage", { image: `${image}@DIGEST` }),
    ...cloud.plan("deleteRepository", repository),
  ];
  return [...cloud.plan("describe", name), ...cloud.plan("policy", name), ...(stored ?? cloud.plan("delete", name))];
}

function show(
  { terminal }: Context,
  name: ServiceName,
  answer: { readonly removed?: unknown; readonly would_remove?: unknown; readonly steps?: unknown },
): void {
  if (terminal.json) return terminal.printJson({ ...name, ...answer });
  const things = (answer.removed ?? answer.would_remove ?? []) as readonly { kind: string; name: string }[];
  terminal.printTable(things.map(({ kind, name: thing }) => [kind, thing]));
}

/** The service goes last but for what would be looked for without it: what is interrupted is found again. */
async function remove(
  cloud: Cloud,
  name: ServiceName,
  { service, kept, grants, marks, images, repository }: CreatedResources,
  step: ReturnType<typeof createSteps>["step"],
): Promise<void> {
  if (kept && marks.length > 0)
    await step("revoke", `Taking back the grants on ${kept.service}`, async () => {
      for (const member of grants) await cloud.revoke({ ...name, member, role: INVOKER });
      await cloud.setLabels({ ...name, remove: marks });
    });
  if (service) await step("service", `Deleting the service ${service.service}`, () => cloud.delete(name));
  if (images.length > 0)
    await step("images", `Deleting ${images.length} image${images.length === 1 ? "" : "s"}`, async () => {
      for (const image of images) await cloud.deleteImage({ image });
    });
  if (repository) await step("repository", `Deleting the repository ${repository.name}`, () => cloud.deleteRepository(repository));
}

function tellWhatStays({ terminal }: Context, { kept, others }: CreatedResources): void {
  if (kept)
    terminal.note(
      `The service ${kept.service} was there before up, and stays, with its images. To delete it: cloudrun-oauth delete ${kept.service}`,
    );
  if (others > 0) terminal.note(`The repository stays: ${others} other image${others === 1 ? " is" : "s are"} in it.`);
}
