import { membershipsOf, projectPolicyIfAllowed, type Membership } from "../../cloud/memberships.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";

/** Shows who may call a service, by the service itself and by its project; with `--all` also who may do anything else with it. */
export async function members(context: Context, name: string | undefined, flags: { readonly all?: boolean }): Promise<void> {
  const { settings, terminal } = context;
  const options = { service: settings.require("service", name), project: settings.require("project"), region: settings.require("region") };
  const cloud = await context.cloud();
  if (context.dryRun)
    return printPlan(terminal, [
      ...cloud.plan("policy", options),
      ...cloud.plan("projectPolicy", { project: options.project }),
      ...cloud.plan("describe", options),
    ]);
  const [policy, inherited, service] = await terminal.task(`Reading who may call ${options.service}`, () =>
    Promise.all([cloud.policy(options), projectPolicyIfAllowed(cloud, options), cloud.describe(options)]),
  );
  const all = [...membershipsOf(policy, null), ...membershipsOf(inherited, "project")];
  const found = flags.all ? all : all.filter(({ may_call }) => may_call !== false);
  const everybody = all.some(({ member, may_call, condition }) => member === "allUsers" && may_call && !condition);
  const isChecked = !service.invoker_iam_disabled;
  if (!inherited) terminal.warn(`You may not read what project ${options.project} grants: who may call by that is not shown.`);
  if (terminal.json)
    return terminal.printJson({
      ...options,
      public: everybody || !isChecked,
      invoker_check: isChecked,
      members: found,
      project_policy_read: inherited !== undefined,
      etag: policy.etag,
    });
  if (!isChecked) terminal.note("Everybody may call it: its invoker check is switched off, whoever is named here.");
  else if (everybody) terminal.note("Everybody may call it, by allUsers.");
  else if (all.some(({ member, may_call }) => member === "allAuthenticatedUsers" && may_call))
    terminal.note("Whoever has a Google account may call it, by allAuthenticatedUsers.");
  else if (found.length === 0) terminal.note("Nobody may call it.");
  terminal.printTable(found.map((each) => [each.member, each.role, ...remarks(each)]));
}

function remarks({ inherited_from, condition, may_call }: Membership): string[] {
  const said = [
    inherited_from && `by the ${inherited_from}`,
    condition && `if ${[condition.title, condition.expression].filter(Boolean).join(": ")}`,
    may_call === null && "a role of your own, which may or may not let call",
  ];
  const remark = said.filter(Boolean).join(", ");
  return remark ? [remark] : [];
}
