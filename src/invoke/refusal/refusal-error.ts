import { readServiceUrl } from "../../auth/audience.ts";
import { memberForEmail } from "../../auth/member.ts";
import { CliError } from "../../errors/cli-error.ts";
import type { ErrorCode } from "../../errors/exit-codes.ts";
import { nextStep, type NextStep } from "../../errors/next-step.ts";
import { toOneLine } from "../../errors/one-line.ts";
import { REASONS, type Reason } from "../../errors/reasons.ts";
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
  /** Local time when the response arrived, in milliseconds since the epoch. */
  readonly now: number;
}

interface Help {
  readonly hint?: string;
  readonly next?: readonly NextStep[];
  /** Default: the reason's usual code. */
  readonly code?: ErrorCode;
  /** Goes into the error's details. */
  readonly [fact: string]: unknown;
}

/** The error for a refusal. Text of the token or the page becomes one line. */
export function refusalError(reason: Reason, request: RejectedRequest, message: string, help: Help): CliError {
  const { hint, next, code = REASONS[reason][0], ...facts } = help;
  const audience = readSentCredential(request.sent).claims?.aud;
  const details = { status_code: request.status, url: request.url.origin, audience, principal: callerOf(request), ...facts };
  const clean = (text: string) => toOneLine(text, Infinity);
  return new CliError(code, clean(message), {
    hint: hint && clean(hint),
    next: next?.map((step) => ({ ...step, command: step.command.map(clean) })),
    reason,
    details,
  });
}

/** The caller, as policies name it; undefined if unknown. */
export function callerOf({ sent, principal }: Pick<RejectedRequest, "sent" | "principal">): string | undefined {
  const { claims } = readSentCredential(sent);
  return claims?.email === undefined ? principal : memberForEmail(claims.email);
}

/** The caller's email address, or else `fallback`: "The caller". */
export function describeCaller(request: RejectedRequest, fallback = "The caller"): string {
  return callerOf(request)?.replace(/^(?:serviceAccount|user):/, "") ?? fallback;
}

/** The service, as part of a sentence. */
export function describeService({ url }: Pick<RejectedRequest, "url">, evidence: Evidence = {}): string {
  const name = evidence.service?.service ?? readServiceUrl(url)?.service;
  return name === undefined ? `the service at ${url.origin}` : `"${name}"`;
}

/** The service and its region, as arguments of this tool's commands. */
export function serviceArguments({ url }: Pick<RejectedRequest, "url">, evidence: Evidence = {}): string[] {
  const { service, region } = evidence.service ?? readServiceUrl(url) ?? {};
  return [...(service ? [service] : []), ...(region ? ["--region", region] : [])];
}

/** The service, region and project, as arguments of gcloud. */
export function gcloudArguments(request: Pick<RejectedRequest, "url">, evidence: Evidence = {}): string[] {
  const [service = "SERVICE", ...region] = serviceArguments(request, evidence);
  // gcloud doesn't accept a project's number.
  const project = evidence.service?.project.replace(/^\d+$/, "");
  return [service, ...region, ...(project ? ["--project", project] : [])];
}

export function grantStep(
  request: RejectedRequest,
  evidence: Evidence = {},
  text = "To grant access",
  ...flags: readonly string[]
): NextStep {
  return nextStep(text, "grant", ...serviceArguments(request, evidence), "--member", callerOf(request) ?? "MEMBER", ...flags);
}

export function tokenStep({ url }: RejectedRequest, text = "To get a new ID token"): NextStep {
  return nextStep(text, "token", url.origin);
}

export function invokeStep({ url }: RejectedRequest, text: string, ...flags: readonly string[]): NextStep {
  return nextStep(text, "invoke", url.origin + url.pathname, ...flags);
}
