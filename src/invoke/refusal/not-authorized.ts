import type { CliError } from "../../errors/cli-error.ts";
import { INVOKER_ROLE, INVOKER_ROLES } from "../../cloud/permissions.ts";
import { isServiceHost } from "../../auth/audience.ts";
import { readSentCredential } from "./sent-credential.ts";
import type { Evidence } from "./evidence.ts";
import { grantCommand, callerOf, describeService, refusalError, type RejectedRequest } from "./refusal-error.ts";

/** https://cloud.google.com/iam/docs/access-change-propagation */
const GRANT_DELAY_NOTE = "A grant that was just made takes about 2 minutes to hold, at times 7 or more.";

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
  const id = /vpcServiceControlsUniqueIdentifier: ?([\w-]+)/.exec(request.body)?.[1];
  return refusalError(
    "VPC_SERVICE_CONTROLS",
    request,
    `${capitalize(describeService(request))} lies in a perimeter of VPC Service Controls, and this call came from outside.`,
    {
      code: "NOT_AUTHORIZED",
      hint: "Call it from a network inside, or ask the organisation's administrator for an ingress rule; the audit log names the violation.",
      ...(id && { violation: id }),
    },
  );
}

/** A token whose signature isn't valid, or whose account can't call anymore. */
function findSignerFault(request: RejectedRequest, { isSigned, account }: Evidence): CliError | undefined {
  const { claims } = readSentCredential(request.sent);
  const member = callerOf(request);
  if (isSigned === false)
    return refusalError(
      "SIGNATURE_WRONG",
      request,
      "The ID token's signature is not of Google's current keys: it was altered, or is another issuer's.",
      {
        hint: "An emulator's token is nothing to Google, nor Google's to an emulator. A new one: cloudrun-oauth token",
      },
    );
  const email = member?.replace(/^.*?:/, "");
  if (account === "deleted")
    return refusalError("ACCOUNT_DELETED", request, `${email} was deleted, and its tokens are worth nothing any more.`, {
      code: "NOT_AUTHENTICATED",
      hint: "Call with another account. One that was deleted in the last 30 days comes back by: gcloud iam service-accounts undelete UNIQUE_ID",
    });
  if (account === "disabled")
    return refusalError("ACCOUNT_DISABLED", request, `${email} is disabled, and its tokens are worth nothing meanwhile.`, {
      code: "NOT_AUTHENTICATED",
      hint: `gcloud iam service-accounts enable ${email}`,
    });
  if (claims?.email === undefined)
    return refusalError("EMAIL_CLAIM_MISSING", request, "The ID token has no e-mail claim, by which policies know who calls.", {
      hint: "Ask the IAM Credentials API for it: includeEmail, or gcloud auth print-identity-token --include-email",
    });
  return undefined;
}

/** Google documents 403 for a valid token whose principal has no access, but 401 occurs too, so the policy decides. */
function explainByPolicy(request: RejectedRequest, evidence: Evidence): CliError | undefined {
  const { policy } = evidence;
  const member = callerOf(request);
  if (!policy || member === undefined) return undefined;
  const invoking = policy.bindings.filter(({ role }) => INVOKER_ROLES.has(role));
  const callerBindings = invoking.filter(({ members }) => members.some((other) => isSame(other, member)));
  if (callerBindings.some((binding) => !conditionOf(binding)))
    return refusalError(
      "GRANT_TOO_YOUNG",
      request,
      `${member} is in the policy of ${describeService(request, evidence)}, and the front end does not know it yet.`,
      {
        hint: `${grantCommand(request, evidence)} --wait — A grant takes about 2 minutes to hold, at times 7 or more; by a group, longer.`,
        code: "NOT_AUTHORIZED",
        propagation_seconds: { typical: 120, longest: 420 },
      },
    );
  const [conditional] = callerBindings;
  if (conditional)
    return refusalError(
      "CONDITION_NOT_MET",
      request,
      `${member} may call ${describeService(request, evidence)} under a condition only, which is not met.`,
      {
        hint: `The condition: ${conditionOf(conditional)} — without one: ${grantCommand(request, evidence)}`,
        condition: conditionOf(conditional),
      },
    );
  const others = [...new Set(invoking.flatMap(({ members }) => members))];
  const roles = policy.bindings.filter(({ members }) => members.some((other) => isSame(other, member))).map(({ role }) => role);
  return lacksRole(request, evidence, {
    hint: `${grantCommand(request, evidence)} — ${describePolicy(others, roles)}`,
    evidence: "policy",
    members: others,
    ...(roles.length > 0 && { roles }),
  });
}

/** What the page alone says, if the policy can't be read. */
function explainWithoutPolicy(request: RejectedRequest, evidence: Evidence): CliError {
  if (request.status === 403)
    return lacksRole(request, evidence, { hint: `${grantCommand(request, evidence)} — ${GRANT_DELAY_NOTE}`, evidence: "token" });
  const who = callerOf(request) ?? "the caller";
  const what = isServiceHost(request.url.hostname) ? "it is for this service and has not expired" : "nothing is seen to be wrong with it";
  return refusalError("NOT_VERIFIED", request, `Cloud Run could not verify the ID token of ${who}, although ${what}.`, {
    hint: `A service or a grant that is new takes a minute or more: try again. Otherwise: ${grantCommand(request, evidence)}`,
  });
}

function lacksRole(
  request: RejectedRequest,
  evidence: Evidence,
  facts: { readonly hint: string; readonly [fact: string]: unknown },
): CliError {
  const member = callerOf(request) ?? "The token's principal";
  return refusalError("PRINCIPAL_NOT_IN_POLICY", request, `${member} lacks ${INVOKER_ROLE} on ${describeService(request, evidence)}.`, {
    ...facts,
    code: "NOT_AUTHORIZED",
  });
}

function describePolicy(members: readonly string[], roles: readonly string[]): string {
  const has = roles.length > 0 ? `What it has is ${roles.join(", ")}, which does not let it call. ` : "";
  if (members.length === 0) return `${has}The service's policy lets nobody in.`;
  const shown = members.slice(0, 5).join(", ");
  const groups = members.some((other) => /^(?:group|domain|principalSet):/.test(other))
    ? " Whom a group holds, the policy does not say."
    : "";
  return `${has}The service's policy lets in ${shown}${members.length > 5 ? ` and ${members.length - 5} more` : ""}.${groups}`;
}

function isSame(other: string, member: string): boolean {
  return other === "allUsers" || other === "allAuthenticatedUsers" || other.toLowerCase() === member.toLowerCase();
}

/** Bindings are as Google returns them, some with a condition. */
function conditionOf(binding: object): string | undefined {
  return (binding as { readonly condition?: { readonly expression?: string } }).condition?.expression;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
