import { CliError } from "../errors/cli-error.ts";
import { externalStep, nextStep, type NextStep } from "../errors/next-step.ts";
import type { Reason } from "../errors/reasons.ts";
import type { TokenRefusal } from "./google-auth-transport.ts";
import { enableStep } from "./token-refusal.ts";

interface Impersonation {
  readonly account: string;
  readonly delegates: readonly string[];
  /** The caller, as policies name it, if known. */
  readonly principal: string | undefined;
}

/**
 * The error for a refusal of generateIdToken or generateAccessToken: TOKEN_REFUSED with its reason and the command that fixes it.
 * https://cloud.google.com/iam/docs/reference/credentials/rest
 */
export function explainImpersonationRefusal(refusal: TokenRefusal, impersonation: Impersonation): CliError {
  const { host, status, error, description, permission } = refusal;
  const { account, delegates, principal } = impersonation;
  const refusalText = description.replace(/\.$/, "") || `status ${status}`;
  const refused = (reason: Reason | undefined, message: string, help: string | NextStep) =>
    new CliError("TOKEN_REFUSED", message, {
      ...(typeof help === "string" ? { hint: help } : { next: [help] }),
      reason,
      details: { error, status_code: status, ...(permission && { permission }), account },
    });
  if (refusal.reason === "SERVICE_DISABLED" || /has not been used in project|it is disabled/.test(description))
    return refused(
      "API_NOT_ENABLED",
      `The IAM Credentials API isn't enabled in the project: ${refusalText}.`,
      externalStep("To enable it", "gcloud", "services", "enable", "iamcredentials.googleapis.com"),
    );
  if (status === 403) {
    const chain = delegates.length > 0 ? ` through ${delegates.join(", ")}` : "";
    const grantee = ["--member", principal ?? "MEMBER", "--role", roleFor(refusal, principal)];
    return refused(
      "TOKEN_CREATOR_MISSING",
      `${principal ?? "The credential"} doesn't have permission to impersonate ${account}${chain}: ${refusalText}.`,
      externalStep(
        delegates.length > 0 ? "To grant it, for each account in the chain" : "To grant it",
        "gcloud",
        ..."iam service-accounts add-iam-policy-binding".split(" "),
        delegates[0] ?? account,
        ...grantee,
      ),
    );
  }
  if (status === 404)
    return refused(
      "ACCOUNT_DELETED",
      `Service account ${account} or one of its delegates wasn't found: ${refusalText}.`,
      nextStep("To list service accounts", "accounts", "list"),
    );
  if (/disabled/i.test(description)) return refused("ACCOUNT_DISABLED", `${account} is disabled: ${refusalText}.`, enableStep(account));
  return refused(
    status === 400 ? "AUDIENCE_INVALID" : undefined,
    `${host} refused to issue a token for ${account}: ${refusalText}.`,
    "Check the account's email address and the audience.",
  );
}

/** The smallest role with the missing permission. https://cloud.google.com/iam/docs/service-account-permissions#roles */
function roleFor({ permission }: TokenRefusal, principal: string | undefined): string {
  if (principal === undefined || /^principal(?:Set)?:/.test(principal)) return "roles/iam.workloadIdentityUser";
  return permission.endsWith("getOpenIdToken") ? "roles/iam.serviceAccountOpenIdTokenCreator" : "roles/iam.serviceAccountTokenCreator";
}
