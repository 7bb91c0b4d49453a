import type { CliError } from "../../errors/cli-error.ts";
import { externalStep } from "../../errors/next-step.ts";
import type { Evidence } from "./evidence.ts";
import { EMAIL_CLAIM_HINT } from "./not-authorized.ts";
import {
  callerOf,
  describeCaller,
  describeService,
  gcloudArguments,
  invokeStep,
  refusalError,
  type RejectedRequest,
} from "./refusal-error.ts";

const IAP_ROLE = "roles/iap.httpsResourceAccessor";

/** Explains a refusal of Identity-Aware Proxy, which has its own policy and its own audience. Its messages: https://cloud.google.com/iap/docs/faq */
export function explainIap(request: RejectedRequest, evidence: Evidence): CliError {
  const { status } = request;
  const client = iapClientOf(request);
  const name = describeService(request, evidence);
  if (status === 403) {
    const member = callerOf(request) ?? "MEMBER";
    const binding = [
      "--resource-type",
      "cloud-run",
      "--service",
      ...gcloudArguments(request, evidence),
      "--member",
      member,
      "--role",
      IAP_ROLE,
    ];
    const message = `${describeCaller(request)} doesn't have permission to access ${name} through Identity-Aware Proxy (${IAP_ROLE}).`;
    return refusalError("IAP_ACCESS_DENIED", request, message, {
      next: [externalStep("To grant access", "gcloud", "beta", "iap", "web", "add-iam-policy-binding", ...binding)],
    });
  }
  const message = request.body.replace(/^Invalid IAP credentials: /, "");
  const help = {
    next: [invokeStep(request, "To call it with a token for IAP", "--iap", ...(client ? [] : ["CLIENT_ID"]))],
    expected_audience: client,
  };
  if (status !== 401 || /empty token/i.test(message))
    return refusalError(
      "IAP_NO_CREDENTIAL",
      request,
      `Identity-Aware Proxy protects ${name} and redirects requests without a credential.`,
      help,
    );
  if (/'?email'? claim/.test(message))
    return refusalError(
      "EMAIL_CLAIM_MISSING",
      request,
      "The ID token has no email claim, so Identity-Aware Proxy can't identify the caller.",
      {
        hint: EMAIL_CLAIM_HINT,
      },
    );
  if (/audience|'aud' claim/i.test(message))
    return refusalError(
      "IAP_AUDIENCE_MISMATCH",
      request,
      `Wrong audience: the ID token isn't for Identity-Aware Proxy, which protects ${name}.`,
      help,
    );
  return refusalError("IAP_CREDENTIAL_INVALID", request, `Identity-Aware Proxy rejected the credential for ${name} as invalid.`, help);
}

/** The OAuth client of IAP, which is its audience. IAP names it when it redirects to the sign-in, and when a token has another audience. */
export function iapClientOf({ headers, body }: Pick<RejectedRequest, "headers" | "body">): string | undefined {
  const location = headers["location"] ?? "";
  const requestedClient = URL.canParse(location) ? new URL(location).searchParams.get("client_id") : null;
  return requestedClient ?? /expected value \(([\w.-]+)\)/.exec(body)?.[1];
}
