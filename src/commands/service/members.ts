import { listMemberships, projectPolicyIfAllowed, type Membership } from "../../cloud/memberships.ts";
import { requireServiceName } from "../../cloud/names.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { nextStep } from "../../errors/next-step.ts";

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
  const [policy, projectPolicy, { invoker_iam_disabled: isCheckDisabled }] = await terminal.wait(`Checking ${service}`, () =>
    Promise.all([cloud.policy(serviceName), projectPolicyIfAllowed(cloud, serviceName), cloud.describe(serviceName)]),
  );
  const all = [...listMemberships(policy, null), ...listMemberships(projectPolicy, "project")];
  const shown = flags.all ? all : all.filter(({ may_call }) => may_call !== false);
  const isPublic = all.some(({ member, may_call, condition }) => member === "allUsers" && may_call && !condition);
  if (!projectPolicy) terminal.warn(`You don't have permission to read the IAM policy of project ${project}. Its members aren't shown.`);
  if (terminal.json)
    return terminal.printJson({
      ...serviceName,
      public: isPublic || isCheckDisabled,
      invoker_check: !isCheckDisabled,
      members: shown,
      project_policy_read: projectPolicy !== undefined,
      etag: policy.etag,
    });
  if (isCheckDisabled) terminal.note("Public: the invoker IAM check is disabled, so anyone can invoke this service.");
  else if (isPublic) terminal.note("Public: anyone can invoke this service (allUsers).");
  else if (all.some(({ member, may_call }) => member === "allAuthenticatedUsers" && may_call))
    terminal.note("Anyone with a Google account can invoke this service (allAuthenticatedUsers).");
  else if (shown.length === 0) {
    terminal.note(`No principal can invoke ${service}.`);
    return terminal.nextSteps([nextStep("To grant access", "grant", service, "--member", "MEMBER")]);
  }
  terminal.printTable(
    shown.map((membership) => [membership.member, membership.role, ...remarksOn(membership)]),
    { header: ["member", "role", "notes"] },
  );
}

function remarksOn({ inherited_from, condition, may_call }: Membership): string[] {
  const remarks = [
    inherited_from && `from the ${inherited_from}`,
    condition && `if ${[condition.title, condition.expression].filter(Boolean).join(": ")}`,
    may_call === null && "custom role: might not include run.routes.invoke",
  ].filter(Boolean);
  return remarks.length > 0 ? [remarks.join(", ")] : [];
}
