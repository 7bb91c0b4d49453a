import { formatTime } from "../../terminal/relative-time.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";

/** Deletes a service with its revisions, after showing what goes. Throws USAGE where nobody can be asked and `--yes` is not said. */
export async function deleteService(context: Context, name: string | undefined): Promise<void> {
  const { settings, terminal } = context;
  const options = { service: settings.require("service", name), project: settings.require("project"), region: settings.require("region") };
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("delete", options));
  const { url, urls, created, last_modifier, traffic } = await terminal.task(`Looking up ${options.service}`, () =>
    cloud.describe(options),
  );
  const tags = traffic.flatMap(({ tag }) => tag ?? []);
  terminal.note(
    [
      `${options.service} in ${options.region} of project ${options.project} goes, with all its revisions and its policy:`,
      ...[...new Set([url, ...urls])].map((each) => `  ${each}`),
      ...tags.map((tag) => `  the tag ${tag}`),
      `It was made ${formatTime(created, Date.now())}${last_modifier === null ? "" : `, and last changed by ${last_modifier}`}. Its images stay. There is no undo.`,
    ].join("\n"),
  );
  if (!(await terminal.confirm(`Delete ${options.service}?`))) return terminal.note("Nothing is deleted.");
  await terminal.task(`Deleting ${options.service}`, () => cloud.delete(options));
  if (terminal.json) return terminal.printJson({ ...options, url, deleted: true });
  terminal.printTable([
    ["DELETED", options.service],
    ["REGION", options.region],
    ["URL", url],
  ]);
}
