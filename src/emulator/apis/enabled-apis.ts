import { ApiError, errorInfo } from "../server/errors.ts";
import { findProject } from "../state/projects.ts";
import type { Project } from "../state/resources.ts";
import type { State } from "../state/state.ts";

export const API_TITLES: Readonly<Record<string, string>> = {
  "run.googleapis.com": "Cloud Run Admin API",
  "cloudbuild.googleapis.com": "Cloud Build API",
  "artifactregistry.googleapis.com": "Artifact Registry API",
  "storage.googleapis.com": "Cloud Storage API",
  "iam.googleapis.com": "Identity and Access Management (IAM) API",
  "iamcredentials.googleapis.com": "IAM Service Account Credentials API",
  "logging.googleapis.com": "Cloud Logging API",
  "secretmanager.googleapis.com": "Secret Manager API",
  "serviceusage.googleapis.com": "Service Usage API",
  "cloudresourcemanager.googleapis.com": "Cloud Resource Manager API",
  "cloudbilling.googleapis.com": "Cloud Billing API",
  "orgpolicy.googleapis.com": "Organization Policy API",
  "policytroubleshooter.googleapis.com": "Policy Troubleshooter API",
};

/** The APIs that are enabled in a new project: all that the emulator has. */
export const DEFAULT_APIS: readonly string[] = Object.keys(API_TITLES);

/** The API that enables APIs responds even if it isn't enabled. */
const ALWAYS_ENABLED = "serviceusage.googleapis.com";

/** The APIs that show and restore a deleted project. */
const SERVES_DELETED_PROJECTS = new Set(["cloudresourcemanager.googleapis.com", "cloudbilling.googleapis.com", ALWAYS_ENABLED]);
const NEEDS_BILLING = new Set(["run.googleapis.com", "cloudbuild.googleapis.com", "artifactregistry.googleapis.com"]);

/** Throws ApiError PERMISSION_DENIED if a project is deleted, has no billing, or hasn't enabled the API of a host. */
export function requireUsable(state: State, host: string, projectIdOrNumber: string): void {
  const project = findProject(state, projectIdOrNumber);
  if (project?.deleted && !SERVES_DELETED_PROJECTS.has(host)) throw invalidConsumer(project, host);
  requireEnabled(state, host, projectIdOrNumber);
  if (project?.unbilled && NEEDS_BILLING.has(host)) throw billingDisabled(project, host);
}

// Unlike Cloud Run: the services of a deleted project continue to respond.
function invalidConsumer({ projectId, projectNumber }: Project, host: string): ApiError {
  return new ApiError("PERMISSION_DENIED", `Permission denied on resource project ${projectId}.`, [
    errorInfo("CONSUMER_INVALID", { consumer: `projects/${projectNumber}`, service: host }),
  ]);
}

function billingDisabled({ projectId, projectNumber }: Project, host: string): ApiError {
  const url = `https://console.developers.google.com/billing/enable?project=${projectId}`;
  const message = `This API method requires billing to be enabled. Please enable billing on project #${projectId} by visiting ${url} then retry. If you enabled billing for this project recently, wait a few minutes for the action to propagate to our systems and retry.`;
  return new ApiError("PERMISSION_DENIED", message, [
    errorInfo("BILLING_DISABLED", { consumer: `projects/${projectNumber}`, service: host }),
  ]);
}

/** Throws ApiError PERMISSION_DENIED if a project has disabled an API, given by its host. Unknown projects and APIs pass. */
function requireEnabled(state: State, host: string, projectIdOrNumber: string): void {
  const title = API_TITLES[host];
  const project = findProject(state, projectIdOrNumber);
  if (title === undefined || host === ALWAYS_ENABLED || !project || state.apis.get(`${project.projectId}/${host}`)) return;
  const { projectId, projectNumber } = project;
  const url = `https://console.developers.google.com/apis/api/${host}/overview?project=${projectId}`;
  const message = `${title} has not been used in project ${projectId} before or it is disabled. Enable it by visiting ${url} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.`;
  throw new ApiError("PERMISSION_DENIED", message, [
    errorInfo("SERVICE_DISABLED", {
      service: host,
      serviceTitle: title,
      consumer: `projects/${projectNumber}`,
      containerInfo: projectId,
      activationUrl: url,
    }),
    { "@type": "type.googleapis.com/google.rpc.LocalizedMessage", locale: "en-US", message },
    { "@type": "type.googleapis.com/google.rpc.Help", links: [{ description: "Google developers console API activation", url }] },
  ]);
}
