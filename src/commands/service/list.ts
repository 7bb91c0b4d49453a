import { formatRelativeTime } from "../../terminal/relative-time.ts";
import type { Service } from "../../cloud/service.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";

/** Shows the services of a project, in all regions or in the one that `--region` names. */
export async function list(context: Context): Promise<void> {
  const { settings, terminal } = context;
  // A region in the environment or a file is for other commands, and must not hide services here.
  const options = { project: settings.require("project"), region: settings.flag("region") };
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("list", options));
  const services = await terminal.task(`Looking through ${options.region ?? "all regions"}`, () => cloud.list(options));
  if (terminal.json) return terminal.printJson({ project: options.project, region: options.region ?? null, services });
  if (services.length === 0)
    return terminal.note(
      `There is no service in ${options.region ?? "any region"} of project ${options.project}. Deploy one: cloudrun-oauth deploy`,
    );
  terminal.printTable(services.map((service) => toRow(service, Date.now())));
}

function toRow({ service, region, url, deployed, last_modifier, conditions }: Service, now: number): string[] {
  const ready = conditions.find(({ type }) => type === "Ready");
  const state = ready?.status === "True" ? "ready" : ready?.status === "False" ? "not ready" : "in the making";
  return [service, region, state, url, deployed === null ? "" : formatRelativeTime(deployed, now), last_modifier ?? ""];
}
