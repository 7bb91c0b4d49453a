import { formatTime } from "../../terminal/relative-time.ts";
import { requireServiceName } from "../../cloud/names.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";

/** Shows what a deletion removes, asks, and deletes the service with its revisions. Throws USAGE if no one can answer and `--yes` isn't passed. */
export async function deleteService(context: Context, name: string | undefined): Promise<void> {
  const { settings, terminal } = context;
  const serviceName = requireServiceName(settings, name);
  const { service, project, region } = serviceName;
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("delete", serviceName));
  const { url, urls, created, last_modifier, traffic } = await terminal.task(`Looking up ${service}`, () => cloud.describe(serviceName));
  const tags = traffic.flatMap(({ tag }) => tag ?? []);
  terminal.note(
    [
      `${service} in ${region} of project ${project} goes, with all its revisions and its policy:`,
      ...[...new Set([url, ...urls])].map((line) => `  ${line}`),
      ...tags.map((tag) => `  the tag ${tag}`),
      `It was made ${formatTime(created, Date.now())}${last_modifier === null ? "" : `, and last changed by ${last_modifier}`}. Its images stay. There is no undo.`,
    ].join("\n"),
  );
  if (!(await terminal.confirm(`Delete ${service}?`))) return terminal.note("Nothing is deleted.");
  await terminal.task(`Deleting ${service}`, () => cloud.delete(serviceName));
  if (terminal.json) return terminal.printJson({ ...serviceName, url, deleted: true });
  terminal.printTable([
    ["DELETED", service],
    ["REGION", region],
    ["URL", url],
  ]);
}
