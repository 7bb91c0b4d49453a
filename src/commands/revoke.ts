import { readMember } from "../cloud/member.ts";
import type { Context } from "../context.ts";
import { printPlan } from "../plan.ts";

/** Takes a member's role on a service back. */
export async function revoke(context: Context, name: string | undefined, { role }: { readonly role: string }): Promise<void> {
  const { settings, terminal } = context;
  const service = { service: settings.require("service", name), project: settings.require("project"), region: settings.require("region") };
  const options = { ...service, member: readMember(settings.require("member")), role };
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("revoke", options));
  const { bindings } = await terminal.task(`Taking ${role} from ${options.member}`, () => cloud.revoke(options));
  if (terminal.json) return terminal.printJson({ ...options, bindings });
  terminal.printTable([
    ["SERVICE", options.service],
    ["MEMBER", options.member],
    ["REVOKED", role],
  ]);
}
