import { requireServiceName } from "../../cloud/names.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";

/** Asks, and deletes a service with its revisions. Throws NOT_FOUND if it doesn't exist, USAGE if no one can answer and `--yes` isn't passed. */
export async function deleteService(context: Context, name: string | undefined): Promise<void> {
  const { settings, terminal } = context;
  const serviceName = requireServiceName(settings, name);
  const { service, project, region } = serviceName;
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("delete", serviceName));
  const { url, traffic } = await terminal.wait(`Checking ${service}`, () => cloud.describe(serviceName));
  const tags = traffic.flatMap(({ tag }) => tag ?? []);
  terminal.note(
    `This permanently deletes service ${service} (${region}, project ${project}) with all revisions and its IAM policy.\n  ${url}` +
      `${tags.length > 0 ? `\n  Traffic tags: ${tags.join(", ")}` : ""}\nContainer images are kept.`,
  );
  if (!(await terminal.confirmName(`Delete service ${service}?`, service))) return terminal.note("No changes made.");
  await terminal.step({ running: `Deleting ${service}`, done: `Deleted ${service}` }, () => cloud.delete(serviceName));
  if (terminal.json) return terminal.printJson({ ...serviceName, url, deleted: true });
  terminal.printTable([
    ["DELETED", service],
    ["REGION", region],
    ["URL", url],
  ]);
}
