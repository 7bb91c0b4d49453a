import { CliError, type ErrorSubject } from "../../errors/cli-error.ts";
import { externalStep, nextStep, type NextStep } from "../../errors/next-step.ts";
import { readMember } from "../../auth/member.ts";
import { buildError, readBuildFailure } from "../messages/build.ts";
import { noServingRevision } from "../messages/v2-service.ts";
import { registryName } from "../images.ts";
import { DEFAULT_REPOSITORY } from "../repository.ts";
import type { FailedCall, KnownError } from "./known-error.ts";
import { ORGANIZATION_ERRORS } from "./organization.ts";
import { findRole } from "./predefined-roles.ts";
import { PROJECT_ERRORS, projectNotFound } from "./project.ts";

/** The error for a message from gcloud or from an API; undefined if the message isn't known. */
export function explainControlPlane(text: string, call: FailedCall, cause = new Error(text)): CliError | undefined {
  for (const [pattern, explain] of KNOWN_ERRORS) {
    const match = pattern.exec(text);
    if (match) return explain(match, call, cause.message).with({ cause });
  }
  return undefined;
}

/** The first match counts. */
const KNOWN_ERRORS: readonly KnownError[] = [
  [
    /(?:API \[(?<api>[\w.-]+)\] not enabled|\b(?<other>[\w-]+\.googleapis\.com)[^\n]*(?:has not been used in project|it is disabled)|(?<name>[A-Z][\w ]+ API) has not been used|SERVICE_DISABLED[\s\S]*?(?<service>[\w-]+\.googleapis\.com)|SERVICE_DISABLED)/,
    ({ groups = {}, input }, { project }) => {
      const api = groups.api ?? groups.other ?? groups.service ?? /apis\/api\/([\w.-]+)/.exec(input)?.[1];
      return new CliError("PERMISSION_DENIED", `${api ?? groups.name ?? "A required API"} isn't enabled in project ${project}.`, {
        ...(api
          ? { hint: `To enable it, open https://console.cloud.google.com/apis/library/${api}?project=${project}` }
          : { next: [nextStep("To enable the required APIs", "doctor", "--fix")] }),
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
    (_, { project, region }) => {
      const location = region === "REGION" || region === "global" ? "us-central1" : region;
      return new CliError("PERMISSION_DENIED", "Can't push to gcr.io: Container Registry has been shut down.", {
        hint: `Omit --image, or use ${registryName({ location, project, name: DEFAULT_REPOSITORY })}/NAME.`,
      });
    },
  ],
  [
    /do not currently have an active account selected|Reauthentication|problem refreshing your current auth tokens|invalid authentication credentials|UNAUTHENTICATED|invalid_grant|[Cc]redentials? (?:have|has) been revoked/,
    (_, { via }) =>
      via === "gcloud"
        ? new CliError("CREDENTIALS_MISSING", "You aren't signed in to gcloud, or your session has expired.", {
            next: [
              externalStep("To sign in", "gcloud", "auth", "login"),
              externalStep("To sign in with a key file", "gcloud", "auth", "activate-service-account", "--key-file", "FILE"),
            ],
          })
        : new CliError("CREDENTIALS_MISSING", "Google Cloud rejected the credentials, or they have expired.", {
            next: [nextStep("To check the credentials", "doctor")],
          }),
  ],
  [
    /Permission denied on resource project ([\w:.-]+)/,
    ({ 1: name = "" }) => {
      const project = name.replace(/\.$/, "");
      return projectNotFound(project, "PERMISSION_DENIED", `Project "${project}" not found, or you don't have access to it.`);
    },
  ],
  [
    /Permission ['"]?([\w.]+)['"]? (?:denied|is required)|([\w.]+\.[\w.]+) (?:access|permission) (?:to|on|for|is required)|does not have ([\w.]+\.[\w]+) access|["']permission["']: ?["']([\w.]+)["']|Missing ?permissions?:? ([\w.]+\.\w+)/,
    (match, call) => permissionDenied(firstGroup(match) ?? "", call),
  ],
  [/forbidden from accessing the bucket/, (_, call) => permissionDenied("storage.buckets.get", call)],
  [
    /Image '?([^\s']+)'? not found|manifest unknown|MANIFEST_UNKNOWN/,
    ({ 1: image }) =>
      new CliError("NOT_FOUND", image ? `Image ${image} not found.` : "Image not found.", {
        // A digest can't be built.
        next: image?.includes("@") ? [] : [nextStep("To build it", "build", ...(image ? ["--image", image] : []))],
        details: image ? { image } : {},
      }),
  ],
  [/--no-traffic not supported when creating a new service/, () => noServingRevision()],
  [
    /failed to start and listen on the port(?: defined provided by the PORT=(\d+))?/,
    ({ 1: port = "8080", input }) => {
      const [, revision, service] = /Revision '(([\w-]+)-\d{5}-\w{3})'/.exec(input) ?? [];
      return new CliError(
        "DEPLOY_FAILED",
        `${revision ? `Revision ${revision}` : "The revision"} failed to start: the container didn't start listening on port ${port} in time.`,
        {
          hint: "The container must listen on 0.0.0.0, on the port in the PORT environment variable.",
          next: [nextStep("To see its logs", "logs", ...(service && revision ? [service, "--revision", revision] : []))],
        },
      );
    },
  ],
  [
    /Revision '[^']+' is not ready and cannot serve traffic\.?\s*([^\n]*)/,
    ({ 1: reason }, { sentence }) => new CliError("DEPLOY_FAILED", reason || sentence),
  ],
  [/Build failed|build [\w-]+ completed with status "\w+"|BUILD FAILURE/, (_match, _call, output) => buildError(readBuildFailure(output))],
  [
    /Project '?([\w:.-]+)'? (?:was )?not found|[Pp]roject \[([\w:.-]+)\] (?:does not exist|not found)|resource 'projects\/([\w:.-]+)' was not found|namespace '?([\w:.-]+)'? not found/,
    (match) => projectNotFound(firstGroup(match) ?? ""),
  ],
  [
    /Cannot find service \[?([\w-]+)|Resource '([\w-]+)' of kind 'SERVICE'|[Ss]ervice \[([\w-]+)\] could not be found|services\/([\w-]+)'? (?:was )?not found/,
    (match, { region }) => {
      const name = firstGroup(match) ?? "";
      return notFound("service", name, `Service "${name}" not found in ${region}.`, { next: [nextStep("To list services", "list")] });
    },
  ],
  [/Policy binding with the specified (?:principal|member)[^\n]*not found/, (_, { sentence }) => new CliError("NOT_FOUND", sentence)],
  [
    /Service account ([^\s]+) does not exist|User ([^\s]+@[^\s]+) does not exist/,
    (match) => {
      const name = firstGroup(match) ?? "";
      const hint = "New service accounts can take up to a minute to become available.";
      return notFound("account", name, `${match[1] ? "Service account" : "Account"} ${name} not found.`, { hint });
    },
  ],
  [
    /ABORTED|concurrent policy changes|HTTPError 409|ALREADY_EXISTS|ConflictError|already exists/,
    ({ 0: text }, { sentence }) =>
      /exists/i.test(text)
        ? new CliError("CONFLICT", sentence)
        : new CliError("CONFLICT", `The resource was modified by another request at the same time: ${sentence}`, {
            hint: "Run the command again.",
          }),
  ],
  [
    /Unable to find the server|Max retries exceeded|Connection (?:refused|reset|aborted)|ConnectionError|Network is unreachable|gaierror|ProxyError|timed out|HTTPError 50[234]|UNAVAILABLE|ServiceUnavailable/,
    (_, { sentence }) =>
      new CliError("UNAVAILABLE", `Can't reach Google Cloud: ${sentence}`, {
        hint: "Check your network and proxy settings, then run the command again.",
      }),
  ],
  [
    /PERMISSION_DENIED|HTTPError 403|[Ff]orbidden|does not have permission/,
    (_, { project, sentence }) =>
      new CliError("PERMISSION_DENIED", `Permission denied by Google Cloud: ${sentence}`, {
        hint: "Ask a project admin for a role that includes this permission.",
        details: { project },
      }),
  ],
  [/NOT_FOUND|HTTPError 404|could not be found/, (_, { sentence }) => new CliError("NOT_FOUND", sentence)],
];

function permissionDenied(permission: string, { via, project, account }: FailedCall): CliError {
  const role = findRole(permission);
  const page = `https://console.cloud.google.com/iam-admin/iam?project=${project}`;
  return new CliError(
    "PERMISSION_DENIED",
    `${account ?? "Your account"} doesn't have the permission ${permission} in project ${project}.`,
    {
      hint: `Ask a project admin for ${role ?? "a role that includes it"}: ${page}`,
      next: role && via === "gcloud" ? [grantStep(project, account, role)] : [],
      subject: { kind: "permission", name: permission, project },
      details: { project, permission, ...(role && { role }) },
    },
  );
}

function grantStep(project: string, account: string | undefined, role: string): NextStep {
  const member = account ? readMember(account) : "MEMBER";
  return externalStep("To grant it", "gcloud", "projects", "add-iam-policy-binding", project, "--member", member, "--role", role);
}

function notFound(kind: ErrorSubject["kind"], name: string, message: string, help: { hint?: string; next?: NextStep[] }): CliError {
  return new CliError("NOT_FOUND", message, { ...help, subject: { kind, name }, details: { [kind]: name } });
}

function firstGroup(match: RegExpExecArray): string | undefined {
  return match.slice(1).find(Boolean);
}
