import type { Cloud, GrantOptions } from "../../cloud/cloud.ts";
import { readMember } from "../../auth/member.ts";
import { listMemberships } from "../../cloud/memberships.ts";
import { requireServiceName } from "../../cloud/names.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { CliError } from "../../errors/cli-error.ts";
import { ignoreCliError } from "../../errors/ignore-cli-error.ts";
import { externalStep, type NextStep } from "../../errors/next-step.ts";

/** Revokes a member's role on a service. Warns if the project still grants that role, or another one that allows invoking it. */
export async function revoke(context: Context, name: string | undefined, { role }: { readonly role: string }): Promise<void> {
  const { settings, terminal } = context;
  const options = { ...requireServiceName(settings, name), member: readMember(settings.require("member")), role };
  const cloud = await context.cloud();
  if (context.dryRun)
    return printPlan(terminal, [...cloud.plan("revoke", options), ...cloud.plan("projectPolicy", { project: options.project })]);
  const text = {
    running: `Revoking ${role} from ${options.member}`,
    done: `Revoked ${role} from ${options.member}`,
    failed: "Revoke failed",
  };
  const [{ bindings }, inherited] = await terminal.step(text, () => {
    const inheriting = findInheritedRole(cloud, options);
    const revoking = cloud.revoke(options).catch(async (error: unknown) => {
      throw explainMissingRole(options, error, await inheriting);
    });
    return Promise.all([revoking, inheriting]);
  });
  if (inherited !== undefined) terminal.warn(`${options.member} can still invoke ${options.service}: it has ${inherited} on the project.`);
  if (terminal.json) return terminal.printJson({ ...options, bindings, still_granted_by_project: inherited ?? null });
  terminal.printTable([
    ["SERVICE", options.service],
    ["MEMBER", options.member],
    ["REVOKED", role],
  ]);
  if (inherited !== undefined) terminal.nextSteps([revokeOnProject(options, inherited)]);
}

/** Adds to the error that the service doesn't grant the role whether the project does. */
function explainMissingRole(options: GrantOptions, error: unknown, inherited: string | undefined): unknown {
  const isMissing = error instanceof CliError && error.code === "NOT_FOUND" && error.subject?.kind === "role";
  if (!isMissing || inherited === undefined) return error;
  const { service, project, member } = options;
  return error.with({
    message: `${member} has no role on service ${service} itself, but has ${inherited} on project ${project}.`,
    hint: "Services inherit roles granted on their project.",
    next: [revokeOnProject(options, inherited)],
    details: { inherited_from: "project", inherited_role: inherited },
    cause: error,
  });
}

/** The same role on the project if the member has it there, or else one that allows invoking the service. Undefined if the policy can't be read. */
async function findInheritedRole(cloud: Cloud, { project, member, role }: GrantOptions): Promise<string | undefined> {
  const policy = await cloud.projectPolicy({ project }).catch(ignoreCliError);
  const memberships = listMemberships(policy, "project").filter((membership) => membership.member === member);
  return (memberships.find((membership) => membership.role === role) ?? memberships.find(({ may_call }) => may_call))?.role;
}

function revokeOnProject({ project, member }: GrantOptions, role: string): NextStep {
  const command = ["projects", "remove-iam-policy-binding", project, "--member", member, "--role", role];
  return externalStep("To revoke the role on the project", "gcloud", ...command);
}
