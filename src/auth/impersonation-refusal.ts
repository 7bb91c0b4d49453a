import { CliError } from "../errors/cli-error.ts";
import type { Reason } from "../errors/reasons.ts";
import type { TokenRefusal } from "./google-auth-transport.ts";

interface Impersonation {
  /** An e-mail address. */
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
  const refused = (reason: Reason | undefined, message: string, hint: string) =>
    new CliError("TOKEN_REFUSED", message, {
      hint,
      reason,
      details: { error, status_code: status, ...(permission && { permission }), account },
    });
  if (refusal.reason === "SERVICE_DISABLED" || /has not been used in project|it is disabled/.test(description))
    return refused(
      "API_NOT_ENABLED",
      `The IAM Credentials API is off in the project: ${refusalText}.`,
      "gcloud services enable iamcredentials.googleapis.com",
    );
  if (status === 403) {
    const chain = delegates.length > 0 ? ` by way of ${delegates.join(", ")}` : "";
    const others = delegates.length > 0 ? ", and likewise from each account to the next" : "";
    return refused(
      "TOKEN_CREATOR_MISSING",
      `${principal ?? "The credential"} may not act as ${account}${chain}: ${refusalText}.`,
      `gcloud iam service-accounts add-iam-policy-binding ${delegates[0] ?? account} --member ${principal ?? "MEMBER"} --role ${roleFor(refusal, principal)}${others}`,
    );
  }
  if (status === 404)
    return refused(
      "ACCOUNT_DELETED",
      `There is no service account ${account}, or a delegate of it is not there: ${refusalText}.`,
      "gcloud iam service-accounts list",
    );
  if (/disabled/i.test(description))
    return refused("ACCOUNT_DISABLED", `${account} is disabled: ${refusalText}.`, `gcloud iam service-accounts enable ${account}`);
  return refused(
    status === 400 ? "AUDIENCE_INVALID" : undefined,
    `${host} refused a token for ${account}: ${refusalText}.`,
    "Is the account's address right, and the audience one?",
  );
}

/** The smallest role with the missing permission. https://cloud.google.com/iam/docs/service-account-permissions#roles */
function roleFor({ permission }: TokenRefusal, principal: string | undefined): string {
  if (principal === undefined || /^principal(?:Set)?:/.test(principal)) return "roles/iam.workloadIdentityUser";
  return permission.endsWith("getOpenIdToken") ? "roles/iam.serviceAccountOpenIdTokenCreator" : "roles/iam.serviceAccountTokenCreator";
}
