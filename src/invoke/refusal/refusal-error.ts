import { CliError } from "../../errors/cli-error.ts";
import type { ErrorCode } from "../../errors/exit-codes.ts";
import { REASONS, type Reason } from "../../errors/reasons.ts";
import { readServiceUrl } from "../../auth/audience.ts";
import { principalForEmail } from "../../auth/principal.ts";
import type { Evidence } from "./evidence.ts";
import { readSentCredential } from "./sent-credential.ts";

/** A call and its answer, which may be a refusal. */
export interface RejectedRequest {
  readonly url: URL;
  readonly status: number;
  /** The answer's, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The request's headers; only credentials are looked at. */
  readonly sent: readonly (readonly [name: string, value: string])[];
  /** Whose the credential is, where that is known otherwise than by its claims: `serviceAccount:…`. */
  readonly principal?: string | undefined;
  /** Milliseconds since the epoch, by this machine's clock, when the answer came. */
  readonly now: number;
}

/** A refusal, with what is known for machines; a code other than the reason's usual one may be said. */
export function refusalError(
  reason: Reason,
  call: RejectedRequest,
  message: string,
  { hint, code = REASONS[reason][0], ...facts }: { readonly hint: string; readonly code?: ErrorCode; readonly [fact: string]: unknown },
): CliError {
  const { claims } = readSentCredential(call.sent);
  const details = {
    status_code: call.status,
    url: call.url.origin,
    audience: claims?.aud,
    principal: callerOf(call),
    ...facts,
  };
  return new CliError(code, inOneLine(message), { hint: inOneLine(hint), reason, details });
}

/** What comes from a token or from another machine cannot write on the terminal. */
function inOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, " ");
}

/** Who calls, as policies name him; undefined where nothing says it. */
export function callerOf({ sent, principal }: Pick<RejectedRequest, "sent" | "principal">): string | undefined {
  const { claims } = readSentCredential(sent);
  return claims?.email === undefined ? principal : principalForEmail(claims.email);
}

/** What a sentence calls the service. */
export function describeService({ url }: Pick<RejectedRequest, "url">, evidence: Evidence = {}): string {
  const name = evidence.service?.service ?? readServiceUrl(url)?.service;
  return name === undefined ? `the service at ${url.origin}` : `the service ${name}`;
}

/** What a gcloud line says of the service that it acts on: its name, its region and its project, as far as they are known. */
export function gcloudServiceFlags({ url }: Pick<RejectedRequest, "url">, evidence: Evidence = {}): string {
  const { service, region } = evidence.service ?? readServiceUrl(url) ?? {};
  // gcloud does not take a project's number.
  const project = evidence.service?.project.replace(/^\d+$/, "");
  return [service ?? "SERVICE", region && `--region ${region}`, project && `--project ${project}`].filter(Boolean).join(" ");
}

/** The very command that lets the caller in. */
export function grantCommand(call: RejectedRequest, evidence: Evidence = {}): string {
  const { service, region } = evidence.service ?? readServiceUrl(call.url) ?? {};
  return ["cloudrun-oauth grant", service, region && `--region ${region}`, `--member ${callerOf(call) ?? "MEMBER"}`]
    .filter(Boolean)
    .join(" ");
}
