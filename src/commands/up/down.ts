import type { Cloud } from "../../cloud/cloud.ts";
import { requireServiceName, type ServiceName } from "../../cloud/names.ts";
import { INVOKER_ROLE } from "../../cloud/permissions.ts";
import { defaultImage, parseRepository } from "../../cloud/repository.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { findCreatedResources, listCreatedResources, type CreatedResources } from "./created-resources.ts";
import { createTimedSteps, type RunStep } from "./timed-steps.ts";

/** Shows what `up` created for a service, and deletes that and nothing else. A run after an interrupted one continues from there. */
export async function down(context: Context, argument: string | undefined, { plan }: { readonly plan?: boolean }): Promise<void> {
  const { settings, terminal } = context;
  const name = requireServiceName(settings, argument);
  // The image in the settings belongs to the service in the settings.
  const setImage = name.service === settings.get("service")?.value ? settings.get("image")?.value : undefined;
  const image = (setImage ?? defaultImage(name)).replace(/:[^:/]*$/, "");
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, planDown(cloud, name, image));

  const { runStep, taken } = createTimedSteps(terminal);
  const created = await runStep("look", `Checking ${name.service}`, () => findCreatedResources(cloud, name, image));
  const resources = listCreatedResources(created);
  const print = (document: object) => {
    if (terminal.json) return terminal.printJson({ ...name, ...document });
    const rows = resources.map((resource) => [resource.kind, resource.name]);
    if (rows.length > 0) terminal.printTable(rows, { header: ["kind", "name"] });
  };
  tellWhatStays(context, created);
  if (resources.length === 0) terminal.note(`\`up\` hasn't created any resources for ${name.service}.`);
  if (plan) return print({ would_remove: resources });
  if (resources.length === 0) return print({ removed: resources });
  terminal.note(`This permanently deletes ${resources.length === 1 ? "this resource" : "these resources"} in project ${name.project}:`);
  for (const resource of resources) terminal.note(`  ${resource.kind.padEnd(10)}  ${resource.name}`);
  const isConfirmed = created.isCreated
    ? await terminal.confirmName(`Delete service ${name.service} and everything listed?`, name.service)
    : await terminal.confirm("Delete everything listed?");
  if (!isConfirmed) return terminal.note("No changes made.");
  await remove(cloud, name, created, runStep);
  print({ removed: resources, steps: taken });
}

/** The requests for a service that `up` created; a run decides by their answers which of the deletions are needed. */
function planDown(cloud: Cloud, name: ServiceName, image: string): string[] {
  const repository = parseRepository(image);
  return [
    ...cloud.plan("describe", name),
    ...cloud.plan("policy", name),
    ...(repository ? [...cloud.plan("images", repository), ...cloud.plan("repository", repository)] : []),
    ...cloud.plan("delete", name),
    ...(repository ? [...cloud.plan("deleteImage", { image: `${image}@DIGEST` }), ...cloud.plan("deleteRepository", repository)] : []),
  ];
}

/** Anything left after an interruption is found again: images and repositories are searched for without the service, too. */
async function remove(
  cloud: Cloud,
  name: ServiceName,
  { isCreated, members, grantLabels, images, repository }: CreatedResources,
  runStep: RunStep,
): Promise<void> {
  const deleteStep = (step: string, object: string, work: () => Promise<void>) =>
    runStep(step, { running: `Deleting ${object}`, done: `Deleted ${object}` }, work);
  if (grantLabels.length > 0)
    await runStep("revoke", { running: `Revoking roles on ${name.service}`, done: `Revoked roles on ${name.service}` }, async () => {
      for (const member of members) await cloud.revoke({ ...name, member, role: INVOKER_ROLE });
      await cloud.setLabels({ ...name, remove: grantLabels });
    });
  if (isCreated) await deleteStep("service", `service ${name.service}`, () => cloud.delete(name));
  if (images.length > 0)
    await deleteStep("images", `${images.length} image${images.length === 1 ? "" : "s"}`, async () => {
      for (const image of images) await cloud.deleteImage({ image });
    });
  if (repository) await deleteStep("repository", `repository ${repository.name}`, () => cloud.deleteRepository(repository));
}

function tellWhatStays({ terminal }: Context, { service, isCreated, otherImageCount: others }: CreatedResources): void {
  if (service && !isCreated) terminal.note(`Service ${service.service} existed before \`up\`, so it and its images are kept.`);
  if (others > 0) terminal.note(`The repository is kept: it contains ${others} other image${others === 1 ? "" : "s"}.`);
}
