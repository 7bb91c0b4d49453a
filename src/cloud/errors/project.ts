import { CliError } from "../../errors/cli-error.ts";

type Explain = (
  match: RegExpExecArray,
  facts: { readonly project: string; readonly region: string; readonly sentence: string },
  cause: Error,
) => CliError;

/** Problems with a project or region, by Google's messages; the first match counts. */
export const PROJECT_ERRORS: readonly (readonly [RegExp, Explain])[] = [
  [
    /BILLING_DISABLED|BILLING_NOT_FOUND|[Bb]illing account for (?:the owning )?project|requires billing to be enabled|[Bb]illing (?:must be|is not|has not been) enabled/,
    (_, { project }, cause) =>
      new CliError("PERMISSION_DENIED", `Project ${project} has no billing account, and Google Cloud does this only where there is one.`, {
        hint: `gcloud billing projects link ${project} --billing-account ACCOUNT_ID, which one of these may be: gcloud billing accounts list`,
        cause,
        details: { project },
      }),
  ],
  [
    /[Pp]roject #?'?[\w:.-]+'? (?:has been deleted|(?:has been|is) (?:scheduled|marked|pending|requested) (?:for )?deletion|is being deleted|is not active)|DELETE_REQUESTED/,
    (_, { project }, cause) =>
      new CliError("NOT_FOUND", `Project ${project} has been deleted.`, {
        hint: `For 30 days it can be had back: gcloud projects undelete ${project}`,
        cause,
        subject: { kind: "project", name: project },
        details: { project },
      }),
  ],
  [
    /Unknown project id: ?([\w:.-]+)|The requested project was not found/,
    ({ 1: named }, { project }, cause) =>
      new CliError("NOT_FOUND", `There is no project ${named ?? project}.`, {
        hint: "See those that are yours: gcloud projects list",
        cause,
        subject: { kind: "project", name: named ?? project },
        details: { project: named ?? project },
      }),
  ],
  [
    // gcloud itself says this if a region's host doesn't respond as Cloud Run does.
    /Location '?([\w-]+)'? is not found or access is unauthorized|The provided region was invalid/,
    ({ 1: named }, { project, region }, cause) =>
      new CliError("NOT_FOUND", `There is no region ${named ?? region}, or project ${project} may not use it.`, {
        hint: `See those that there are: gcloud run regions list --project ${project}`,
        cause,
        subject: { kind: "region", name: named ?? region },
        details: { region: named ?? region },
      }),
  ],
  [
    /RESOURCE_EXHAUSTED|HTTPError 429|[Qq]uota (?:exceeded|violated)|rateLimitExceeded|Too Many Requests/,
    (_, { project, sentence }, cause) => quotaExceeded(project, sentence, { cause }),
  ],
];

/** The error for a quota of the project that is used up; `sentence` names the quota. */
export function quotaExceeded(
  project: string,
  sentence: string,
  options: Pick<CliError, "cause"> & Partial<Pick<CliError, "details" | "retryAfterSeconds">>,
): CliError {
  return new CliError("UNAVAILABLE", `A quota of project ${project} is spent: ${sentence}`, {
    hint: `Run the command again in a minute, or ask for more: https://console.cloud.google.com/iam-admin/quotas?project=${project}`,
    ...options,
  });
}
