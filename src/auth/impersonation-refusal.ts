import { CliError } from "../errors.ts";
import type { Reason } from "../reasons.ts";
import { clean } from "./token-refusal.ts";

/** A call of the IAM Credentials API that was refused. */
interface Impersonation {
  /** The e-mail address of the account that a token was asked for. */
  readonly account: string;
  /** Who asked, as policies name him, where that is known; with delegates, the last of them. */
  readonly member?: string;
  /** The answer's status and body. */
  readonly status: number;
  readonly body: string;
}

interface Told {
  readonly code?: "TOKEN_REFUSED" | "CREDENTIALS_INVALID";
  readonly reason: Reason;
  readonly sentence: string;
  readonly hint: string;
}

/**
 * The error for a refusal of generateIdToken or generateAccessToken: TOKEN_REFUSED with its reason and the command that mends it, UNAVAILABLE
 * for what passes by itself. https://cloud.google.com/iam/docs/reference/credentials/rest
 */
export function explainImpersonationRefusal(call: Impersonation): CliError {
  const { account, status, body } = call;
  const { message, permission } = readError(body);
  const details = { status_code: status, account, ...(permission && { permission }) };
  if (status >= 500 || status === 429)
    return new CliError("UNAVAILABLE", `iamcredentials.googleapis.com answered ${status}: ${message || "nothing"}.`, { details });
  const told = explain(call, message, permission);
  if (!told)
    return new CliError("TOKEN_REFUSED", `iamcredentials.googleapis.com gave no token for ${account}: ${message || `status ${status}`}.`, {
      details,
    });
  const { code = "TOKEN_REFUSED", reason, sentence, hint } = told;
  return new CliError(code, sentence, { hint, details: { reason, ...details } });
}

function explain(call: Impersonation, message: string, permission: string | undefined): Told | undefined {
  const { account, status, body, member = "MEMBER" } = call;
  if (/SERVICE_DISABLED|has not been used in project|it is disabled/.test(body))
    return {
      reason: "API_NOT_ENABLED",
      sentence: "The IAM Credentials API is not enabled, which gives tokens of other accounts.",
      hint: `gcloud services enable iamcredentials.googleapis.com --project ${projectOf(account)}`,
    };
  if (status === 403 && permission !== undefined) {
    const role = permission.endsWith("getOpenIdToken")
      ? "roles/iam.serviceAccountOpenIdTokenCreator"
      : "roles/iam.serviceAccountTokenCreator";
    return {
      reason: "TOKEN_CREATOR_MISSING",
      sentence: `${member === "MEMBER" ? "The caller" : member} may not get tokens of ${account}: ${permission} is missing.`,
      hint: `gcloud iam service-accounts add-iam-policy-binding ${account} --member ${member} --role ${role}`,
    };
  }
  if (status === 404)
    return {
      reason: "ACCOUNT_DELETED",
      sentence: `There is no service account ${account}.`,
      hint: `See those that are: gcloud iam service-accounts list --project ${projectOf(account)}`,
    };
  if (/disabled/i.test(message))
    return {
      reason: "ACCOUNT_DISABLED",
      sentence: `The service account ${account} is disabled.`,
      hint: `gcloud iam service-accounts enable ${account}`,
    };
  if (/lifetime cannot exceed/i.test(message))
    return {
      reason: "LIFETIME_TOO_LONG",
      sentence: `A token of ${account} was asked for that lasts too long: ${message.replace(/\.$/, "")}.`,
      hint: "Ask for an hour at most, or have constraints/iam.allowServiceAccountCredentialLifetimeExtension name the account.",
    };
  if (status === 400)
    return {
      reason: "AUDIENCE_INVALID",
      sentence: `The IAM Credentials API does not take the request for a token of ${account}: ${message.replace(/\.$/, "")}.`,
      hint: "The audience is the service's URL, such as https://SERVICE-PROJECT_NUMBER.REGION.run.app, and a scope is one of Google's.",
    };
  return undefined;
}

function projectOf(account: string): string {
  return /@(.+)\.iam\.gserviceaccount\.com$/.exec(account)?.[1] ?? "PROJECT";
}

/** https://cloud.google.com/apis/design/errors; the permission is in the details, or in the sentence. */
function readError(body: string): { readonly message: string; readonly permission: string | undefined } {
  try {
    const { error } = JSON.parse(body) as {
      readonly error?: {
        readonly message?: string;
        readonly details?: readonly { readonly metadata?: { readonly permission?: string } }[];
      };
    };
    const message = clean(error?.message);
    const named = error?.details?.find((detail) => detail.metadata?.permission)?.metadata?.permission;
    return { message, permission: named === undefined ? /Permission '([\w.]+)' denied/.exec(message)?.[1] : clean(named) };
  } catch {
    return { message: clean(body), permission: undefined };
  }
}
