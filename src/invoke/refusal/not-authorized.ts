import { isServiceHost } from "../../auth/audience.ts";
import { INVOKER_ROLE, INVOKER_ROLES } from "../../cloud/permissions.ts";
import type { CliError } from "../../errors/cli-error.ts";
import { externalStep } from "../../errors/next-step.ts";
import type { Evidence } from "./evidence.ts";
import { callerOf, describeCaller, describeService, grantStep, refusalError, tokenStep, type RejectedRequest } from "./refusal-error.ts";
import { readSentCredential } from "./sent-credential.ts";

/** https://cloud.google.com/iam/docs/access-change-propagation */
const PROPAGATION_HINT = "IAM changes usually take about 2 minutes to take effect, but can take 7 or more.";

export const EMAIL_CLAIM_HINT = "To include the claim, set includeEmail in the IAM Credentials API or pass --include-email to gcloud.";

/** Explains why a credential without a visible fault is rejected (401), or its principal has no access (403). */
export function explainNotAuthorized(request: RejectedRequest, evidence: Evidence): CliError {
  if (evidence.isOutsidePerimeter || request.body.includes("vpcServiceControlsUniqueIdentifier")) return outsidePerimeter(request);
  return (
    (request.status === 401 ? findSignerFault(request, evidence) : undefined) ??
    explainByPolicy(request, evidence) ??
    explainWithoutPolicy(request, evidence)
  );
}

function outsidePerimeter(request: RejectedRequest): CliError {
  const violation = /vpcServiceControlsUniqueIdentifier: ?([\w-]+)/.exec(request.body)?.[1];
  const message = `A VPC Service Controls perimeter around ${describeService(request)} blocked the request, which came from outside.`;
  return refusalError("VPC_SERVICE_CONTROLS", request, message, {
    code: "NOT_AUTHORIZED",
    hint: "Send it from a network inside the perimeter, or ask your organization's administrator for an ingress rule. The audit log has details.",
    violation,
  });
}

/** A token whose signature isn't valid, or whose account can't call anymore. */
function findSignerFault(request: RejectedRequest, { isSigned, account }: Evidence): CliError | undefined {
  const email = describeCaller(request);
  if (isSigned === false)
    return refusalError(
      "SIGNATURE_WRONG",
      request,
      "The ID token isn't signed with one of Google's current keys: it was modified, or it came from another issuer.",
      {
        hint: "Google doesn't accept an emulator's tokens, and an emulator doesn't accept Google's.",
        next: [tokenStep(request)],
      },
    );
  if (account === "deleted")
    return refusalError("ACCOUNT_DELETED", request, `${email} was deleted, so its tokens are no longer valid.`, {
      code: "NOT_AUTHENTICATED",
      hint: "Use another account. A deleted account can be restored for 30 days.",
      next: [externalStep("To restore it", "gcloud", "iam", "service-accounts", "undelete", "UNIQUE_ID")],
    });
  if (account === "disabled")
    return refusalError("ACCOUNT_DISABLED", request, `${email} is disabled, so its tokens aren't valid.`, {
      code: "NOT_AUTHENTICATED",
      next: [externalStep("To enable it", "gcloud", "iam", "service-accounts", "enable", email)],
    });
  if (readSentCredential(request.sent).claims?.email !== undefined) return undefined;
  return refusalError("EMAIL_CLAIM_MISSING", request, "The ID token has no email claim, so Cloud Run can't identify the caller.", {
    hint: EMAIL_CLAIM_HINT,
  });
}

/** Google documents 403 for a valid token whose principal has no access, but 401 occurs too, so the policy decides. */
function explainByPolicy(request: RejectedRequest, evidence: Evidence): CliError | undefined {
  const { policy } = evidence;
  const member = callerOf(request);
  if (!policy || member === undefined) return undefined;
  const caller = describeCaller(request);
  const name = describeService(request, evidence);
  const invoking = policy.bindings.filter(({ role }) => INVOKER_ROLES.has(role));
  const callerBindings = invoking.filter(({ members }) => members.some((other) => isSame(other, member)));
  if (callerBindings.some((binding) => !conditionOf(binding)))
    return refusalError("GRANT_TOO_YOUNG", request, `${caller} was granted access to ${name}, but the change hasn't taken effect yet.`, {
      code: "NOT_AUTHORIZED",
      hint: `${PROPAGATION_HINT} Group membership changes take longer.`,
      next: [grantStep(request, evidence, "To wait for it", "--wait")],
      propagation_seconds: { typical: 120, longest: 420 },
    });
  const [conditional] = callerBindings;
  if (conditional)
    return refusalError("CONDITION_NOT_MET", request, `${caller} can invoke ${name} only under a condition that isn't met.`, {
      hint: `Condition: ${conditionOf(conditional)}`,
      next: [grantStep(request, evidence, "To grant access without a condition")],
      condition: conditionOf(conditional),
    });
  const members = [...new Set(invoking.flatMap(({ members }) => members))];
  const roles = policy.bindings.filter(({ members }) => members.some((other) => isSame(other, member))).map(({ role }) => role);
  return lacksRole(request, evidence, describePolicy(members, roles), {
    evidence: "policy",
    members,
    ...(roles.length > 0 && { roles }),
  });
}

/** What the page alone says, if the policy can't be read. */
function explainWithoutPolicy(request: RejectedRequest, evidence: Evidence): CliError {
  if (request.status === 403)
    return lacksRole(request, evidence, `If access was granted recently, wait: ${PROPAGATION_HINT}`, { evidence: "token" });
  const validity = isServiceHost(request.url.hostname) ? "its audience and expiry are valid" : "no problem was found with it";
  const message = `Cloud Run rejected the ID token from ${describeCaller(request, "the caller")}, although ${validity}.`;
  return refusalError("NOT_VERIFIED", request, message, {
    hint: "New services and grants can take a minute or more to take effect. Try again.",
    next: [grantStep(request, evidence)],
  });
}

function lacksRole(request: RejectedRequest, evidence: Evidence, hint: string, facts: Readonly<Record<string, unknown>>): CliError {
  const message = `${describeCaller(request)} doesn't have permission to invoke ${describeService(request, evidence)} (${INVOKER_ROLE}).`;
  return refusalError("PRINCIPAL_NOT_IN_POLICY", request, message, {
    ...facts,
    code: "NOT_AUTHORIZED",
    hint,
    next: [grantStep(request, evidence)],
  });
}

function describePolicy(members: readonly string[], roles: readonly string[]): string {
  const own =
    roles.length > 0
      ? `The caller has ${roles.join(", ")}, which ${roles.length === 1 ? "doesn't" : "don't"} allow invoking services. `
      : "";
  if (members.length === 0) return `${own}No principal has access.`;
  const others = members.length > 5 ? ` and ${members.length - 5} more` : "";
  const groups = members.some((other) => /^(?:group|domain|principalSet):/.test(other))
    ? " The policy doesn't list the members of a group."
    : "";
  return `${own}Principals with access: ${members.slice(0, 5).join(", ")}${others}.${groups}`;
}

function isSame(other: string, member: string): boolean {
  return other === "allUsers" || other === "allAuthenticatedUsers" || other.toLowerCase() === member.toLowerCase();
}

/** Bindings are as Google returns them, some with a condition. */
function conditionOf(binding: object): string | undefined {
  return (binding as { readonly condition?: { readonly expression?: string } }).condition?.expression;
}
