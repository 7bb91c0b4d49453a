import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import type { KnownError } from "./known-error.ts";

/** The first match counts. https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints */
export const ORGANIZATION_ERRORS: readonly KnownError[] = [
  [
    /vpcServiceControlsUniqueIdentifier|VPC_SERVICE_CONTROLS/,
    ({ input }, { project }) => {
      const violation = /vpcServiceControlsUniqueIdentifier: ?([\w-]+)/.exec(input)?.[1];
      return new CliError(
        "ORG_POLICY",
        `Project ${project} is in a VPC Service Controls perimeter, and this computer is outside the perimeter.`,
        {
          hint: `Use a network inside the perimeter, or ask an organization admin for an ingress rule${violation ? ` (violation ${violation})` : ""}.`,
          reason: "VPC_SERVICE_CONTROLS",
          details: violation ? { violation } : {},
        },
      );
    },
  ],
  [
    /Key creation is not allowed on this service account|iam\.(?:managed\.)?disableServiceAccountKeyCreation/,
    () =>
      new CliError(
        "ORG_POLICY",
        "Your organization doesn't allow service account keys (constraints/iam.disableServiceAccountKeyCreation).",
        {
          hint:
            "Use --impersonate-service-account, or workload identity federation in CI: " +
            "https://cloud.google.com/iam/docs/best-practices-for-managing-service-account-keys",
          reason: "KEY_CREATION_FORBIDDEN",
        },
      ),
  ],
  [
    /One or more users named in the policy do not belong to a permitted customer/,
    () =>
      new CliError(
        "ORG_POLICY",
        "Your organization doesn't allow members from outside the organization (constraints/iam.allowedPolicyMemberDomains).",
        {
          hint:
            "Grant access to a member of your organization. To make a service public, disable its invoker IAM check: " +
            "https://cloud.google.com/run/docs/securing/managing-access",
          reason: "MEMBER_DOMAIN_FORBIDDEN",
        },
      ),
  ],
  [
    /run\.managed\.requireInvokerIam/,
    () =>
      new CliError("ORG_POLICY", "Your organization requires the invoker IAM check (constraints/run.managed.requireInvokerIam).", {
        hint: "Keep the check enabled.",
        next: [nextStep("To grant access", "grant", "--member", "MEMBER")],
        reason: "INVOKER_CHECK_REQUIRED",
      }),
  ],
  [
    /(constraints\/[\w.]+|[Oo]rg(?:ani[sz]ation)? ?[Pp]olicy(?!\.\w))/,
    ({ 1: constraint = "" }, { sentence }) =>
      new CliError("ORG_POLICY", `An organization policy doesn't allow this: ${sentence}`, {
        hint: `Ask an organization admin${constraint.startsWith("constraints/") ? ` about ${constraint}` : ""}.`,
      }),
  ],
];
