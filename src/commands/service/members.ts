import { listMemberships, projectPolicyIfAllowed, type Membership } from "../../cloud/memberships.ts";
import { requireServiceName } from "../../cloud/names.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";

/** Shows who can invoke a service through its own policy or its project's; with `--all`, every membership. */
export async function members(context: Context, name: string | undefined, flags: { readonly all?: boolean }): Promise<void> {
  const { settings, terminal } = context;
  const serviceName = requireServiceName(settings, name);
  const { service, project } = serviceName;
  const cloud = await context.cloud();
  if (context.dryRun)
    return printPlan(terminal, [
      ...cloud.plan("policy", serviceName),
      ...cloud.plan("projectPolicy", { project }),
      ...cloud.plan("describe", serviceName),
    ]);
  const [policy, projectPolicy, { invoker_iam_disabled: isCheckDisabled }] = await terminal.task(`Reading who may call ${service}`, () =>
    Promise.all([cloud.policy(serviceName), projectPolicyIfAllowed(cloud, serviceName), cloud.describe(serviceName)]),
  );
  const all = [...listMemberships(policy, null), ...listMemberships(projectPolicy, "project")];
  const shown = flags.all ? all : all.filter(({ may_call }) => may_call !== false);
  const isPublic = all.some(({ member, may_call, condition }) => member === "allUsers" && may_call && !condition);
  if (!projectPolicy) terminal.warn(`You may not read what project ${project} grants: who may call by that is not shown.`);
  if (terminal.json)
    return terminal.printJson({
      ...serviceName,
      public: isPublic || isCheckDisabled,
      invoker_check: !isCheckDisabled,
      members: shown,
      project_policy_read: projectPolicy !== undefined,
      etag: policy.etag,
    });
  if (isCheckDisabled) terminal.note("Everybody may call it: its invoker check is switched off, whoever is named here.");
  else if (isPublic) terminal.note("Everybody may call it, by allUsers.");
  else if (all.some(({ member, may_call }) => member === "allAuthenticatedUsers" && may_call))
    terminal.note("Whoever has a Google account may call it, by allAuthenticatedUsers.");
  else if (shown.length === 0) terminal.note("Nobody may call it.");
  terminal.printTable(shown.map((membership) => [membership.member, membership.role, ...remarksOn(membership)]));
}

function remarksOn({ inherited_from, condition, may_call }: Membership): string[] {
  const remarks = [
    inherited_from && `by the ${inherited_from}`,
    condition && `if ${[condition.title, condition.expression].filter(Boolean).join(": ")}`,
    may_call === null && "a role of your own, which may or may not let call",
  ].filter(Boolean);
  return remarks.length > 0 ? [remarks.join(", ")] : [];
}
