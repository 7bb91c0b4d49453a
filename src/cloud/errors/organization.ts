import { CliError } from "../../errors/cli-error.ts";
import type { Reason } from "../../errors/reasons.ts";

type Explain = (match: RegExpExecArray, facts: { readonly project: string; readonly sentence: string }, cause: Error) => CliError;

/**
 * What an organization forbids, by Google's messages; the first match counts.
 * https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
 */
export const ORGANIZATION_ERRORS: readonly (readonly [RegExp, Explain])[] = [
  [
    /vpcServiceControlsUniqueIdentifier|VPC_SERVICE_CONTROLS/,
    (match, { project }, cause) => {
      const id = /vpcServiceControlsUniqueIdentifier: ?([\w-]+)/.exec(match.input)?.[1];
      return forbidden(
        "VPC_SERVICE_CONTROLS",
        `Project ${project} lies in a perimeter of VPC Service Controls, and this machine outside.`,
        {
          hint: `Run it from a network inside, or ask the organisation's administrator for an ingress rule${id ? `, about the violation ${id}` : ""}.`,
          cause,
          ...(id && { violation: id }),
        },
      );
    },
  ],
  [
    /Key creation is not allowed on this service account|iam\.(?:managed\.)?disableServiceAccountKeyCreation/,
    (_, _facts, cause) =>
      forbidden(
        "KEY_CREATION_FORBIDDEN",
        "The organisation forbids keys of service accounts (constraints/iam.disableServiceAccountKeyCreation).",
        {
          hint: "Do without a key: --impersonate-service-account from your own sign-in, or workload identity federation in CI: https://cloud.google.com/iam/docs/best-practices-for-managing-service-account-keys",
          cause,
        },
      ),
  ],
  [
    /One or more users named in the policy do not belong to a permitted customer/,
    (_, { project }, cause) =>
      forbidden(
        "MEMBER_DOMAIN_FORBIDDEN",
        "The organisation's policy allows no members from outside of it (constraints/iam.allowedPolicyMemberDomains).",
        {
          hint: `Grant a member of your organisation instead. A service for everybody does without allUsers: gcloud run services update SERVICE --no-invoker-iam-check --project ${project}`,
          cause,
        },
      ),
  ],
  [
    /run\.managed\.requireInvokerIam/,
    (_, _facts, cause) =>
      forbidden(
        "INVOKER_CHECK_REQUIRED",
        "The organisation wants the callers of services checked (constraints/run.managed.requireInvokerIam).",
        {
          hint: "Leave the check on, and grant those who are to call: cloudrun-oauth grant --member MEMBER",
          cause,
        },
      ),
  ],
  [
    /(constraints\/[\w.]+|[Oo]rg(?:ani[sz]ation)? ?[Pp]olicy(?!\.\w))/,
    ({ 1: constraint = "" }, { sentence }, cause) =>
      new CliError("ORG_POLICY", `An organisation policy forbids it: ${sentence}`, {
        hint: `Ask the organisation's administrator${constraint.startsWith("constraints/") ? ` about ${constraint}` : ""}.`,
        cause,
      }),
  ],
];

function forbidden(
  reason: Reason,
  message: string,
  { hint, cause, ...facts }: { readonly hint: string; readonly cause: Error; readonly [fact: string]: unknown },
): CliError {
  return new CliError("ORG_POLICY", message, { hint, cause, reason, details: facts });
}
