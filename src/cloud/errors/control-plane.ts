import { CliError, type ErrorSubject } from "../../errors/cli-error.ts";
import type { ErrorCode } from "../../errors/exit-codes.ts";
import { readMember } from "../member.ts";
import { ORGANIZATION_ERRORS } from "./organization.ts";
import { findRole } from "./predefined-roles.ts";
import { PROJECT_ERRORS } from "./project.ts";
import { noServingRevision } from "../messages/v2-service.ts";

/** What is known about a call that failed. */
export interface FailedCall {
  readonly project: string;
  readonly region: string;
  /** The sentence of Google's message that names the problem. */
  readonly sentence: string;
  /** The e-mail address of the account that made the call, if it is known. */
  readonly account?: string;
}

type Explain = (match: RegExpExecArray, facts: FailedCall, cause: Error) => CliError;

/** The error for a message of Google's, from gcloud or from an API; undefined if the message isn't known. */
export function explainControlPlane(text: string, call: FailedCall, cause = new Error(text)): CliError | undefined {
  for (const [pattern, explain] of KNOWN_ERRORS) {
    const match = pattern.exec(text);
    if (match) return explain(match, call, cause);
  }
  return undefined;
}

/** The first match counts. */
const KNOWN_ERRORS: readonly (readonly [RegExp, Explain])[] = [
  [
    /(?:API \[(?<api>[\w.-]+)\] not enabled|\b(?<other>[\w-]+\.googleapis\.com)[^\n]*(?:has not been used in project|it is disabled)|(?<name>[A-Z][\w ]+ API) has not been used|SERVICE_DISABLED[\s\S]*?(?<service>[\w-]+\.googleapis\.com)|SERVICE_DISABLED)/,
    ({ groups = {}, input }, { project }, cause) => {
      const api = groups.api ?? groups.other ?? groups.service ?? /apis\/api\/([\w.-]+)/.exec(input)?.[1];
      return new CliError("PERMISSION_DENIED", `${api ?? groups.name ?? "An API that this needs"} is not enabled in project ${project}.`, {
        hint: `gcloud services enable ${api ?? "run.googleapis.com cloudbuild.googleapis.com artifactregistry.googleapis.com"} --project ${project}`,
        cause,
        reason: "API_NOT_ENABLED",
        ...(api && { subject: { kind: "api", name: api, project } }),
        details: { project, ...(api && { api }) },
      });
    },
  ],
  ...ORGANIZATION_ERRORS,
  ...PROJECT_ERRORS,
  [
    /createOnPush|Container Registry is (?:deprecated|shut)|gcr\.io repo does not exist|gcr\.io[^\n]*(?:closed|read-only|shut down)/i,
    (_, { project, region }, cause) =>
      new CliError("PERMISSION_DENIED", "gcr.io is closed for writing: Container Registry has been shut down.", {
        hint: `Push to Artifact Registry: leave --image out, or say --image ${region === "REGION" ? "us-central1" : region}-docker.pkg.dev/${project}/cloudrun-oauth/NAME`,
        cause,
      }),
  ],
  [
    /do not currently have an active account selected|Reauthentication|problem refreshing your current auth tokens|invalid authentication credentials|UNAUTHENTICATED|invalid_grant|[Cc]redentials? (?:have|has) been revoked/,
    fixed("CREDENTIALS_MISSING", "Google Cloud does not know who you are: nobody is signed in, or the sign-in has expired.", {
      hint: "gcloud auth login, or gcloud auth activate-service-account --key-file FILE",
    }),
  ],
  [
    /Permission denied on resource project ([\w:.-]+)/,
    ({ 1: project = "" }, _, cause) =>
      new CliError("PERMISSION_DENIED", `Project ${project.replace(/\.$/, "")} does not exist, or you may not use it.`, {
        hint: "See those that are yours: gcloud projects list",
        cause,
        details: { project },
      }),
  ],
  [
    /Permission ['"]?([\w.]+)['"]? (?:denied|is required)|([\w.]+\.[\w.]+) (?:access|permission) (?:to|on|for|is required)|does not have ([\w.]+\.[\w]+) access|["']permission["']: ?["']([\w.]+)["']|Missing ?permissions?:? ([\w.]+\.\w+)/,
    (match, facts, cause) => permissionDenied(match.slice(1).find(Boolean), facts, cause),
  ],
  [/forbidden from accessing the bucket/, (_, facts, cause) => permissionDenied("storage.buckets.get", facts, cause)],
  [
    /Image '?([^\s']+)'? not found|manifest unknown|MANIFEST_UNKNOWN/,
    ({ 1: image }, _, cause) =>
      new CliError("NOT_FOUND", image ? `There is no image ${image}.` : "There is no such image.", {
        hint: "Build and push it: cloudrun-oauth build",
        cause,
        details: image ? { image } : {},
      }),
  ],
  [/--no-traffic not supported when creating a new service/, (_match, _facts, cause) => noServingRevision(cause)],
  [
    /failed to start and listen on the port(?: defined provided by the PORT=(\d+))?/,
    ({ 1: port = "8080" }, { project, region }, cause) =>
      new CliError("DEPLOY_FAILED", `The container did not listen on port ${port} in time.`, {
        hint: `It has to listen on 0.0.0.0 and on the port in the PORT variable. What it printed: gcloud run services logs read SERVICE --project ${project} --region ${region}`,
        cause,
      }),
  ],
  [
    /Revision '[^']+' is not ready and cannot serve traffic\.?\s*([^\n]*)/,
    ({ 1: reason }, { sentence }, cause) => new CliError("DEPLOY_FAILED", reason || sentence, { cause }),
  ],
  [
    /Build failed|build [\w-]+ completed with status "(\w+)"|BUILD FAILURE/,
    ({ 1: status = "FAILURE" }, _, cause) => {
      const output = cause.message;
      const reason = /^BUILD FAILURE: (.+)$/m.exec(output)?.[1];
      const log = /Logs are available at \[\s*(\S+?)\s*\]/.exec(output)?.[1];
      return new CliError("BUILD_FAILED", `Cloud Build ended the build with ${status}${reason ? `: ${reason}` : ""}.`, {
        hint: log ? `Its log: ${log}` : "The reason is in the build's log.",
        cause,
        details: { status, ...(log && { log_url: log }) },
      });
    },
  ],
  [
    /Project '?([\w:.-]+)'? (?:was )?not found|[Pp]roject \[([\w:.-]+)\] (?:does not exist|not found)|resource 'projects\/([\w:.-]+)' was not found|namespace '?([\w:.-]+)'? not found/,
    (match, _, cause) => notFound("project", match.slice(1).find(Boolean), "See those that are yours: gcloud projects list", cause),
  ],
  [
    /Cannot find service \[?([\w-]+)|Resource '([\w-]+)' of kind 'SERVICE'|[Ss]ervice \[([\w-]+)\] could not be found|services\/([\w-]+)'? (?:was )?not found/,
    (match, { project, region }, cause) =>
      notFound(
        "service",
        match.slice(1).find(Boolean),
        `It is not in ${region} of project ${project}. See those that are: cloudrun-oauth list`,
        cause,
      ),
  ],
  [
    /Policy binding with the specified (?:principal|member)[^\n]*not found/,
    (_, { sentence }, cause) => new CliError("NOT_FOUND", sentence, { cause }),
  ],
  [
    /Service account ([^\s]+) does not exist|User ([^\s]+@[^\s]+) does not exist/,
    (match, _, cause) =>
      notFound(
        "account",
        match.slice(1).find(Boolean),
        "Mind that one that has just been made takes a minute to be known everywhere.",
        cause,
      ),
  ],
  [
    /ABORTED|concurrent policy changes|HTTPError 409|ALREADY_EXISTS|ConflictError|already exists/,
    (_, { sentence }, cause) =>
      new CliError("CONFLICT", `Somebody else is changing the same thing: ${sentence}`, { hint: "Run the command again.", cause }),
  ],
  [
    /Unable to find the server|Max retries exceeded|Connection (?:refused|reset|aborted)|ConnectionError|Network is unreachable|gaierror|ProxyError|timed out|HTTPError 50[234]|UNAVAILABLE|ServiceUnavailable/,
    (_, { sentence }, cause) =>
      new CliError("UNAVAILABLE", `Google's API cannot be reached: ${sentence}`, {
        hint: "Check the network and the proxy settings, and run the command again.",
        cause,
      }),
  ],
  [/PERMISSION_DENIED|HTTPError 403|[Ff]orbidden|does not have permission/, (_, facts, cause) => permissionDenied(undefined, facts, cause)],
  [/NOT_FOUND|HTTPError 404|could not be found/, (_, { sentence }, cause) => new CliError("NOT_FOUND", sentence, { cause })],
];

function fixed(code: ErrorCode, message: string, options: { hint: string }): Explain {
  return (_match, _facts, cause) => new CliError(code, message, { ...options, cause });
}

function permissionDenied(permission: string | undefined, { project, sentence, account }: FailedCall, cause: unknown): CliError {
  const role = permission && findRole(permission);
  const hint = role
    ? `${role} has it: gcloud projects add-iam-policy-binding ${project} --member ${account ? readMember(account) : "user:YOU"} --role ${role}`
    : "Ask whoever administers the project for a role that has it.";
  return new CliError(
    "PERMISSION_DENIED",
    permission
      ? `${account ?? "Your account"} lacks the permission ${permission} in project ${project}.`
      : `Google Cloud does not permit it: ${sentence}`,
    {
      hint,
      cause,
      ...(permission && { subject: { kind: "permission", name: permission, project } }),
      details: { project, ...(permission && { permission }), ...(role && { role }) },
    },
  );
}

function notFound(kind: ErrorSubject["kind"], name: string | undefined, hint: string, cause: unknown): CliError {
  return new CliError("NOT_FOUND", `There is no ${kind} ${name ?? "of that name"}.`, {
    hint,
    cause,
    ...(name && { subject: { kind, name }, details: { [kind]: name } }),
  });
}
