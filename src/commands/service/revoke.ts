import type { Cloud, GrantOptions } from "../../cloud/cloud.ts";
import { readMember } from "../../cloud/member.ts";
import { membershipsOf } from "../../cloud/memberships.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { printPlan } from "../../context/print-plan.ts";

/** Takes a member's role on a service back; says so where he has it, or another that lets him call, from the project. */
export async function revoke(context: Context, name: string | undefined, { role }: { readonly role: string }): Promise<void> {
  const { settings, terminal } = context;
  const service = { service: settings.require("service", name), project: settings.require("project"), region: settings.require("region") };
  const options = { ...service, member: readMember(settings.require("member")), role };
  const cloud = await context.cloud();
  if (context.dryRun)
    return printPlan(terminal, [...cloud.plan("revoke", options), ...cloud.plan("projectPolicy", { project: options.project })]);
  const [{ bindings }, inherited] = await terminal.task(`Taking ${role} from ${options.member}`, () => {
    const asked = inheritedRole(cloud, options);
    const revoked = cloud.revoke(options).catch(async (error: unknown) => {
      throw explain(options, error, await asked);
    });
    return Promise.all([revoked, asked]);
  });
  if (inherited !== undefined)
    terminal.warn(`${options.member} may call it yet, by ${inherited} on the project: ${projectLine(options, inherited)}`);
  if (terminal.json) return terminal.printJson({ ...options, bindings, still_granted_by_project: inherited ?? null });
  terminal.printTable([
    ["SERVICE", options.service],
    ["MEMBER", options.member],
    ["REVOKED", role],
  ]);
}

/** What is not on the service may be on the project. */
function explain(options: GrantOptions, error: unknown, inherited: string | undefined): unknown {
  const isAbsent = error instanceof CliError && error.code === "NOT_FOUND" && error.subject?.kind === "role";
  if (!isAbsent || inherited === undefined) return error;
  const { service, project, member } = options;
  return error.with({
    message: `${member} has nothing on the service ${service} itself, but ${inherited} on project ${project}, which holds for it.`,
    hint: projectLine(options, inherited),
    details: { inherited_from: "project", inherited_role: inherited },
    cause: error,
  });
}

/** The role by which the project lets a member call, or the very role that is to be taken; undefined where there is none, or it may not be read. */
async function inheritedRole(cloud: Cloud, { project, member, role }: GrantOptions): Promise<string | undefined> {
  const policy = await cloud.projectPolicy({ project }).catch(() => undefined);
  const his = membershipsOf(policy, "project").filter((each) => each.member === member);
  return (his.find((each) => each.role === role) ?? his.find(({ may_call }) => may_call))?.role;
}

function projectLine({ project, member }: GrantOptions, role: string): string {
  return `gcloud projects remove-iam-policy-binding ${project} --member ${member} --role ${role}`;
}
