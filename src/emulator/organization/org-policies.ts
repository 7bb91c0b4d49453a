import { ApiError, preconditionFailure } from "../server/errors.ts";
import type { OrgPolicy } from "../state/resources.ts";
import type { State } from "../state/state.ts";

/** The constraints that the emulator enforces: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints */
const KEY_CREATION_CONSTRAINTS = [
  "constraints/iam.disableServiceAccountKeyCreation",
  "constraints/iam.managed.disableServiceAccountKeyCreation",
] as const;
const MEMBER_DOMAINS_CONSTRAINT = "constraints/iam.allowedPolicyMemberDomains";
const INVOKER_CHECK_CONSTRAINT = "constraints/run.managed.requireInvokerIam";

export function findOrgPolicy(state: State, projectId: string, constraint: string): OrgPolicy | undefined {
  return state.orgPolicies.get(`${projectId}/${constraint}`);
}

function isEnforced(state: State, projectId: string, constraint: string): boolean {
  return findOrgPolicy(state, projectId, constraint)?.booleanPolicy?.enforced === true;
}

/** Throws ApiError FAILED_PRECONDITION if the project doesn't allow service account keys. */
export function checkKeyCreation(state: State, { projectId, email }: { readonly projectId: string; readonly email: string }): void {
  const constraint = KEY_CREATION_CONSTRAINTS.find((each) => isEnforced(state, projectId, each));
  if (!constraint) return;
  const description = "Key creation is not allowed on this service account.";
  throw new ApiError("FAILED_PRECONDITION", description, [
    preconditionFailure({ type: constraint, subject: `projects/${projectId}/serviceAccounts/${email}?configvalue=${email}`, description }),
  ]);
}

// Unlike Cloud Run: which customers a list allows is ignored; if there is a list, service accounts and pools are inside, and everyone else is outside.
/** Throws ApiError FAILED_PRECONDITION if a policy gets members that the organization doesn't allow. */
export function checkMemberDomains(state: State, resource: string, before: readonly string[], after: readonly string[]): void {
  const projectId = /^projects\/([^/]+)/.exec(resource)?.[1] ?? "";
  const list = findOrgPolicy(state, projectId, MEMBER_DOMAINS_CONSTRAINT)?.listPolicy;
  if (!list || list.allValues === "ALLOW") return;
  const outside = after.find((member) => !before.includes(member) && !/^(serviceAccount|principal|principalSet|deleted):/.test(member));
  if (outside === undefined) return;
  const description = "One or more users named in the policy do not belong to a permitted customer, perhaps due to an organization policy.";
  throw new ApiError("FAILED_PRECONDITION", description, [
    preconditionFailure({
      type: MEMBER_DOMAINS_CONSTRAINT,
      subject: `projects/${projectId}?configvalue=${encodeURIComponent(outside)}`,
      description,
    }),
  ]);
}

// Unlike Cloud Run: the wording of this refusal isn't documented; it follows that of an organization's custom constraints.
/** Throws ApiError FAILED_PRECONDITION if services must have the invoker check. */
export function checkInvokerRequired(state: State, projectId: string, resource: string): void {
  if (!isEnforced(state, projectId, INVOKER_CHECK_CONSTRAINT)) return;
  throw new ApiError(
    "FAILED_PRECONDITION",
    `Operation denied by org policy on resource '${resource}': ["${INVOKER_CHECK_CONSTRAINT}": "When enforced, requires the Invoker IAM check to be enabled on Cloud Run services."].`,
  );
}
