import type { Context } from "../context.ts";
import { printPlan } from "../plan.ts";

/** Shows who has which role on the service itself. */
export async function members(context: Context, name: string | undefined): Promise<void> {
  const { settings, terminal } = context;
  const options = { service: settings.require("service", name), project: settings.require("project"), region: settings.require("region") };
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("policy", options));
  const { bindings, etag } = await terminal.task(`Reading the policy of ${options.service}`, () => cloud.policy(options));
  const found = bindings.flatMap(({ role, members: names }) => names.map((member) => ({ member, role })));
  if (terminal.json) return terminal.printJson({ ...options, members: found, etag });
  if (found.length === 0) terminal.note("Nobody but those whom the project lets.");
  terminal.printTable(found.map(({ member, role }) => [member, role]));
}
