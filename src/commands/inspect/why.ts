import { defaultUrlSentence, ingressSentence } from "../../invoke/refusal/not-reachable.ts";
import type { Service } from "../../cloud/service.ts";
import { requireServiceName, type ServiceName } from "../../cloud/names.ts";
import { readMember } from "../../auth/member.ts";
import { readService } from "../../cloud/messages/knative-service.ts";
import { INVOKE_PERMISSION, planTroubleshooting, troubleshootInvocation, type Explanation } from "../../cloud/policy-troubleshooter.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
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

  const { service, explanation } = await terminal.wait(`Checking the policies for ${options.service}`, () =>
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
  throw new CliError("USAGE", `Can't explain access for ${member}: it isn't a single account.`, {
    hint: "Pass --member with an email address.",
    next: [nextStep("To list all members", "members")],
  });
}

function verdict(access: string, member: string, { service }: ServiceName): string {
  if (access === "GRANTED") return `${member} can invoke ${service}.`;
  return access === "NOT_GRANTED"
    ? `${member} can't invoke ${service}.`
    : `Unknown: couldn't determine whether ${member} can invoke ${service}.`;
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
  if (isUnchecked) yield "The service is public: its invoker IAM check is disabled (--no-invoker-iam-check).";
  for (const binding of bindings) {
    // If one binding grants access, the others don't matter.
    if (access !== "GRANTED" || binding.access === "GRANTED") yield explainBinding(binding);
  }
  if (explainedPolicies.some((policy) => policy.access === "UNKNOWN_INFO_DENIED"))
    yield "You don't have permission to read all relevant policies. You need roles/iam.securityReviewer on the project.";
  else if (bindings.length === 0) yield "No role binding on the service, its project, or their parents includes the member.";
  for (const { message } of errors) if (message) yield message;
}

function explainBinding({ resource, role, members, condition, has_permission: hasPermission, access }: ConcernedBinding): string {
  const binding = `${role} for ${members.join(", ")} on ${resource}`;
  if (access === "GRANTED") return `${binding} grants access${condition === null ? "" : ` (its condition is met: ${condition})`}.`;
  if (!hasPermission) return `${binding} doesn't include ${INVOKE_PERMISSION}.`;
  if (condition === null) return `${binding} doesn't grant access.`;
  return access === "UNKNOWN_CONDITIONAL"
    ? `${binding} grants access if its condition is met: ${condition}`
    : `${binding} doesn't grant access now, because its condition isn't met: ${condition}`;
}

/** The requirements besides policies. */
function* explainOtherConditions(service: Service): Generator<string> {
  const { ingress, urls, custom_audiences: audiences } = service;
  if (ingress !== "all") yield ingressSentence(service, service.service);
  if (service.default_url_disabled) yield defaultUrlSentence(service.service);
  if (service.iap_enabled) yield "Identity-Aware Proxy protects the service. It requires roles/iap.httpsResourceAccessor as well.";
  if (!service.invoker_iam_disabled)
    yield `Accepted audiences: ${[...urls, ...audiences].join(", ")}. Tokens from gcloud auth print-identity-token are also accepted.`;
}
