import { defaultUrlSentence, ingressSentence } from "../../invoke/refusal/not-reachable.ts";
import type { Service } from "../../cloud/service.ts";
import { requireServiceName, type ServiceName } from "../../cloud/names.ts";
import { readMember } from "../../cloud/member.ts";
import { readService } from "../../cloud/messages/knative-service.ts";
import { INVOKE_PERMISSION, planTroubleshooting, troubleshootInvocation, type Explanation } from "../../cloud/policy-troubleshooter.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { printPlan } from "../../context/print-plan.ts";

/** A binding that includes the member. */
interface ConcernedBinding {
  readonly resource: string;
  readonly role: string;
  /** The binding's members that include the member. */
  readonly members: readonly string[];
  readonly condition: string | null;
  readonly has_permission: boolean;
  readonly access: string;
}

/** Explains why a member can or can't invoke a service: the binding that grants access, or what prevents it. */
export async function inspectWhy(context: Context, name: string | undefined): Promise<void> {
  const { settings, terminal } = context;
  const options = requireServiceName(settings, name);
  const member = readMember(settings.require("member"));
  const principal = principalOf(member);
  if (context.dryRun) return printPlan(terminal, planTroubleshooting(options, principal));

  const { service, explanation } = await terminal.task(`Looking into the policies of ${options.service}`, () =>
    troubleshootInvocation(context, options, principal),
  );
  const finding = readService(service, options);
  const access = finding.invoker_iam_disabled ? "GRANTED" : explanation.access;
  const bindings = findConcernedBindings(explanation);
  const reasons = [...explainAccess(explanation, bindings, finding), ...explainOtherConditions(finding)];
  if (terminal.json) {
    const audiences = [...finding.urls, ...finding.custom_audiences];
    return terminal.printJson({
      ...options,
      member,
      permission: INVOKE_PERMISSION,
      access,
      reasons,
      bindings,
      ingress: finding.ingress,
      audiences,
    });
  }
  terminal.print([verdict(access, member, options), ...reasons.map((reason) => `  ${reason}`)].map((line) => `${line}\n`).join(""));
}

/** The policy troubleshooter takes one identity, by its email address. */
function principalOf(member: string): string {
  if (member.startsWith("principal://")) return member;
  const [, email] = /^(?:user|serviceAccount):(.+)$/.exec(member) ?? [];
  if (email !== undefined) return email;
  throw new CliError("USAGE", `Access is explained for one account, and not for ${member}.`, {
    hint: "Say --member with an e-mail address; cloudrun-oauth members shows all bindings.",
  });
}

function verdict(access: string, member: string, { service }: ServiceName): string {
  if (access === "GRANTED") return `${member} may call ${service}.`;
  return access === "NOT_GRANTED" ? `${member} may not call ${service}.` : `It cannot be told whether ${member} may call ${service}.`;
}

function findConcernedBindings({ explainedPolicies = [] }: Explanation): ConcernedBinding[] {
  return explainedPolicies.flatMap(({ fullResourceName = "", bindingExplanations = [] }) =>
    bindingExplanations.flatMap(({ role, access, rolePermission, memberships = {}, condition }) => {
      const members = Object.keys(memberships).filter((member) => memberships[member]?.membership === "MEMBERSHIP_INCLUDED");
      if (members.length === 0) return [];
      const resource = fullResourceName.replace(/^\/\/[^/]+\//, "");
      const has_permission = rolePermission === "ROLE_PERMISSION_INCLUDED";
      return [{ resource, role, members, condition: condition?.expression ?? null, has_permission, access }];
    }),
  );
}

function* explainAccess(
  { access, explainedPolicies = [], errors = [] }: Explanation,
  bindings: readonly ConcernedBinding[],
  { invoker_iam_disabled: isUnchecked }: Service,
): Generator<string> {
  if (isUnchecked) yield "Nobody is asked who he is: the service's invoker IAM check is off (--no-invoker-iam-check).";
  for (const binding of bindings) {
    // If one binding grants access, the others don't matter.
    if (access !== "GRANTED" || binding.access === "GRANTED") yield explainBinding(binding);
  }
  if (explainedPolicies.some((policy) => policy.access === "UNKNOWN_INFO_DENIED"))
    yield "You may not read all of the policies that decide: roles/iam.securityReviewer on the project lets you.";
  else if (bindings.length === 0) yield "No binding of the service or of what it lies in names it.";
  for (const { message } of errors) if (message) yield message;
}

function explainBinding({ resource, role, members, condition, has_permission: hasPermission, access }: ConcernedBinding): string {
  const binding = `${role} for ${members.join(", ")} on ${resource}`;
  if (access === "GRANTED") return `${binding} lets it in${condition === null ? "" : `: its condition is met (${condition})`}.`;
  if (!hasPermission) return `${binding} does not hold ${INVOKE_PERMISSION}.`;
  if (condition === null) return `${binding} does not let it in.`;
  return access === "UNKNOWN_CONDITIONAL"
    ? `${binding} lets it in if its condition is met: ${condition}`
    : `The condition of ${binding} is not met now: ${condition}`;
}

/** The requirements besides policies. */
function* explainOtherConditions(service: Service): Generator<string> {
  const { ingress, urls, custom_audiences: audiences } = service;
  if (ingress !== "all") yield `A call from outside is answered 404, whoever makes it: ${ingressSentence(service)}`;
  if (service.default_url_disabled) yield defaultUrlSentence(`the service ${service.service}`);
  if (service.iap_enabled) yield "Identity-Aware Proxy stands before it, with a policy of its own: roles/iap.httpsResourceAccessor.";
  if (!service.invoker_iam_disabled)
    yield `An ID token for it has one of these audiences, or is for gcloud itself (gcloud auth print-identity-token): ${[...urls, ...audiences].join(", ")}`;
}
