import { CliError } from "../../errors/cli-error.ts";
import type { KnownError } from "./known-error.ts";

const PROJECTS_PAGE = "https://console.cloud.google.com/cloud-resource-manager";

/** Problems with a project or region, by Google's messages; the first match counts. */
export const PROJECT_ERRORS: readonly KnownError[] = [
  [
    /BILLING_DISABLED|BILLING_NOT_FOUND|[Bb]illing account for (?:the owning )?project|requires billing to be enabled|[Bb]illing (?:must be|is not|has not been) enabled/,
    (_, { project }) =>
      new CliError("PERMISSION_DENIED", `Billing isn't enabled for project ${project}.`, {
        hint: `To enable it, open https://console.cloud.google.com/billing/linkedaccount?project=${project}`,
        details: { project },
      }),
  ],
  [
    /[Pp]roject #?'?[\w:.-]+'? (?:has been deleted|(?:has been|is) (?:scheduled|marked|pending|requested) (?:for )?deletion|is being deleted|is not active)|DELETE_REQUESTED/,
    (_, { project }) =>
      new CliError("NOT_FOUND", `Project "${project}" has been deleted.`, {
        hint: `You can restore it within 30 days: ${PROJECTS_PAGE}?pendingDeletion=true`,
        subject: { kind: "project", name: project },
        details: { project },
      }),
  ],
  [/Unknown project id: ?([\w:.-]+)|The requested project was not found/, ({ 1: name }, { project }) => projectNotFound(name ?? project)],
  [
    // gcloud itself says this if a region's host doesn't respond as Cloud Run does.
    /Location '?([\w-]+)'? is not found or access is unauthorized|The provided region was invalid/,
    ({ 1: name }, { project, region: requested }) => {
      const region = name ?? requested;
      return new CliError("NOT_FOUND", `Region "${region}" not found, or project ${project} can't use it.`, {
        hint: "Regions: https://cloud.google.com/run/docs/locations",
        subject: { kind: "region", name: region },
        details: { region },
      });
    },
  ],
  [
    /RESOURCE_EXHAUSTED|HTTPError 429|[Qq]uota (?:exceeded|violated)|rateLimitExceeded|Too Many Requests/,
    (_, { project, sentence }) => quotaExceeded(project, sentence),
  ],
];

/** With PERMISSION_DENIED, Google doesn't tell whether the project exists. */
export function projectNotFound(
  project: string,
  code: "NOT_FOUND" | "PERMISSION_DENIED" = "NOT_FOUND",
  message = `Project "${project}" not found.`,
): CliError {
  return new CliError(code, message, {
    hint: `Your projects: ${PROJECTS_PAGE}`,
    ...(code === "NOT_FOUND" && { subject: { kind: "project", name: project } }),
    details: { project },
  });
}

export function quotaExceeded(
  project: string,
  sentence: string,
  options: Partial<Pick<CliError, "cause" | "details" | "retryAfterSeconds">> = {},
): CliError {
  return new CliError("UNAVAILABLE", `Quota exceeded in project ${project}: ${sentence.replace(/^Quota exceeded for /, "")}`, {
    hint: `Run the command again in a minute, or request a higher quota: https://console.cloud.google.com/iam-admin/quotas?project=${project}`,
    ...options,
  });
}
