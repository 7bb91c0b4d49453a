import type { CliError } from "../../errors/cli-error.ts";
import type { Evidence } from "./evidence.ts";
import { callerOf, describeService, refusalError, gcloudServiceFlags, type RejectedRequest } from "./refusal-error.ts";

/** Identity-Aware Proxy's error messages: https://cloud.google.com/iap/docs/faq */
const ABOUT_EMAIL = /'?email'? claim/;
const ABOUT_AUDIENCE = /audience|'aud' claim/i;

/** Explains a refusal of Identity-Aware Proxy, which has its own policy and its own audience. */
export function explainIap(request: RejectedRequest, evidence: Evidence): CliError {
  const client = iapClientOf(request);
  const hint = `Call it with a token for IAP: cloudrun-oauth invoke --iap${client ? "" : " CLIENT_ID"}`;
  const facts = client === undefined ? {} : { expected_audience: client };
  const name = describeService(request, evidence);
  if (request.status === 403)
    return refusalError(
      "IAP_ACCESS_DENIED",
      request,
      `${callerOf(request) ?? "The caller"} lacks roles/iap.httpsResourceAccessor on ${name}, before which IAP stands.`,
      {
        hint: `gcloud beta iap web add-iam-policy-binding --resource-type cloud-run --service ${gcloudServiceFlags(request, evidence)} --member ${callerOf(request) ?? "MEMBER"} --role roles/iap.httpsResourceAccessor`,
      },
    );
  const message = request.body.replace(/^Invalid IAP credentials: /, "");
  if (request.status !== 401 || /empty token/i.test(message))
    return refusalError(
      "IAP_NO_CREDENTIAL",
      request,
      `Identity-Aware Proxy stands before ${name}, and sends whoever has no session to sign in.`,
      {
        hint,
        ...facts,
      },
    );
  if (ABOUT_EMAIL.test(message))
    return refusalError(
      "EMAIL_CLAIM_MISSING",
      request,
      "The ID token has no e-mail claim, by which Identity-Aware Proxy knows who calls.",
      {
        hint: "Ask the IAM Credentials API for it: includeEmail, or gcloud auth print-identity-token --include-email",
      },
    );
  if (ABOUT_AUDIENCE.test(message))
    return refusalError(
      "IAP_AUDIENCE_MISMATCH",
      request,
      `The ID token has another audience than the one that Identity-Aware Proxy takes before ${name}.`,
      { hint, ...facts },
    );
  return refusalError("IAP_CREDENTIAL_INVALID", request, `Identity-Aware Proxy could not verify the credential of the call to ${name}.`, {
    hint: "A new ID token of Google's: cloudrun-oauth token — with the audience that IAP takes",
  });
}

/** The OAuth client of IAP, which is its audience. IAP names it when it redirects to the sign-in, and when a token has another audience. */
export function iapClientOf({ headers, body }: Pick<RejectedRequest, "headers" | "body">): string | undefined {
  const location = headers["location"] ?? "";
  const requestedClient = URL.canParse(location) ? new URL(location).searchParams.get("client_id") : null;
  return requestedClient ?? /expected value \(([\w.-]+)\)/.exec(body)?.[1];
}
