import { CliError } from "../../errors/cli-error.ts";
import type { ErrorCode } from "../../errors/exit-codes.ts";
import { toOneLine } from "../../errors/one-line.ts";
import { REASONS, type Reason } from "../../errors/reasons.ts";
import { readServiceUrl } from "../../auth/audience.ts";
import { principalForEmail } from "../../auth/principal.ts";
import type { Evidence } from "./evidence.ts";
import { readSentCredential } from "./sent-credential.ts";

/** A request and its response, which can be a refusal. */
export interface RejectedRequest {
  readonly url: URL;
  readonly status: number;
  /** The response's headers, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The request's headers; only credentials are read. */
  readonly sent: readonly (readonly [name: string, value: string])[];
  /** The caller, if known from elsewhere than the token's claims: `serviceAccount:…`. */
  readonly principal?: string | undefined;
  /** Milliseconds since the epoch, by this machine's clock, when the response arrived. */
  readonly now: number;
}

/** The error for a refusal. Its code is the reason's usual one unless given; further facts go into its details. */
export function refusalError(
  reason: Reason,
  request: RejectedRequest,
  message: string,
  { hint, code = REASONS[reason][0], ...facts }: { readonly hint: string; readonly code?: ErrorCode; readonly [fact: string]: unknown },
): CliError {
  const { claims } = readSentCredential(request.sent);
  const details = {
    status_code: request.status,
    url: request.url.origin,
    audience: claims?.aud,
    principal: callerOf(request),
    ...facts,
  };
  return new CliError(code, toOneLine(message, Infinity), { hint: toOneLine(hint, Infinity), reason, details });
}

/** The caller, as policies name it; undefined if unknown. */
export function callerOf({ sent, principal }: Pick<RejectedRequest, "sent" | "principal">): string | undefined {
  const { claims } = readSentCredential(sent);
  return claims?.email === undefined ? principal : principalForEmail(claims.email);
}

/** The service, as part of a sentence. */
export function describeService({ url }: Pick<RejectedRequest, "url">, evidence: Evidence = {}): string {
  const name = evidence.service?.service ?? readServiceUrl(url)?.service;
  return name === undefined ? `the service at ${url.origin}` : `the service ${name}`;
}

/** The service, region and project of a gcloud command, as far as they are known. */
export function gcloudServiceFlags({ url }: Pick<RejectedRequest, "url">, evidence: Evidence = {}): string {
  const { service, region } = evidence.service ?? readServiceUrl(url) ?? {};
  // gcloud doesn't accept a project's number.
  const project = evidence.service?.project.replace(/^\d+$/, "");
  return [service ?? "SERVICE", region && `--region ${region}`, project && `--project ${project}`].filter(Boolean).join(" ");
}

/** The command that grants access to the caller. */
export function grantCommand(request: RejectedRequest, evidence: Evidence = {}): string {
  const { service, region } = evidence.service ?? readServiceUrl(request.url) ?? {};
  return ["cloudrun-oauth grant", service, region && `--region ${region}`, `--member ${callerOf(request) ?? "MEMBER"}`]
    .filter(Boolean)
    .join(" ");
}
