import { expect, test } from "vitest";
import { readApiError } from "../../../src/cloud/api/errors.ts";
import { readGcloudError } from "../../../src/cloud/gcloud/errors.ts";

const PROJECT = "my-project";
const REGION = "us-central1";
const args = ["run", "deploy", "hello", "--project", PROJECT, "--region", REGION];

interface Case {
  /** gcloud's stderr. */
  readonly gcloud: string;
  /** The API's response for the same problem. */
  readonly api: readonly [status: number, code: string, message: string, reason?: string];
  readonly is: readonly [code: string, message: string, hint: string];
}

const NOT_BILLED = `This API method requires billing to be enabled. Please enable billing on project #123456789012 by visiting https://console.developers.google.com/billing/enable?project=123456789012 then retry. If you enabled billing for this project recently, wait a few minutes for the action to propagate to our systems and retry.`;
const NOT_ENABLED = `Cloud Run Admin API has not been used in project ${PROJECT} before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/run.googleapis.com/overview?project=${PROJECT} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.`;
const RATE = `Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per region' of service 'run.googleapis.com' for consumer 'project_number:123456789012'.`;

const CASES: Readonly<Record<string, Case>> = {
  "a project that does not exist": {
    gcloud: `ERROR: (gcloud.run.deploy) PERMISSION_DENIED: Permission denied on resource project ${PROJECT}. This command is authenticated as me@example.com which is the active account specified by the [core/account] property.`,
    api: [403, "PERMISSION_DENIED", `Permission denied on resource project ${PROJECT} (or it may not exist).`],
    is: [
      "PERMISSION_DENIED",
      `Project ${PROJECT} does not exist, or you may not use it.`,
      "See those that are yours: gcloud projects list",
    ],
  },
  "a project that is not found": {
    gcloud: `ERROR: (gcloud.run.deploy) NOT_FOUND: Project '${PROJECT}' not found or deleted.`,
    api: [404, "NOT_FOUND", `Project '${PROJECT}' not found or deleted.`],
    is: ["NOT_FOUND", `There is no project ${PROJECT}.`, "See those that are yours: gcloud projects list"],
  },
  "a project that Cloud Storage does not know": {
    gcloud: `ERROR: (gcloud.builds.submit) HTTPError 400: Unknown project id: ${PROJECT}`,
    api: [400, "", `Unknown project id: ${PROJECT}`],
    is: ["NOT_FOUND", `There is no project ${PROJECT}.`, "See those that are yours: gcloud projects list"],
  },
  "a project that has been deleted": {
    gcloud: `ERROR: (gcloud.run.deploy) PERMISSION_DENIED: Project #123456789012 has been deleted.`,
    api: [403, "PERMISSION_DENIED", "Project #123456789012 has been deleted.", "USER_PROJECT_DENIED"],
    is: ["NOT_FOUND", `Project ${PROJECT} has been deleted.`, `For 30 days it can be had back: gcloud projects undelete ${PROJECT}`],
  },
  "a project without billing": {
    gcloud: `ERROR: (gcloud.run.deploy) PERMISSION_DENIED: ${NOT_BILLED} This command is authenticated as me@example.com which is the active account specified by the [core/account] property.\n- '@type': type.googleapis.com/google.rpc.ErrorInfo\n  domain: googleapis.com\n  reason: BILLING_DISABLED`,
    api: [403, "PERMISSION_DENIED", NOT_BILLED, "BILLING_DISABLED"],
    is: [
      "PERMISSION_DENIED",
      `Project ${PROJECT} has no billing account, and Google Cloud does this only where there is one.`,
      `gcloud billing projects link ${PROJECT} --billing-account ACCOUNT_ID, which one of these may be: gcloud billing accounts list`,
    ],
  },
  "a project without billing, whose APIs are to be enabled": {
    gcloud: `ERROR: (gcloud.services.enable) FAILED_PRECONDITION: Billing account for project '123456789012' is not found. Billing must be enabled for activation of service(s) 'run.googleapis.com,run.googleapis.com' to proceed.\nHelp Token: AXx`,
    api: [
      400,
      "FAILED_PRECONDITION",
      `Billing account for project '123456789012' is not found. Billing must be enabled for activation of service(s) 'run.googleapis.com' to proceed.`,
      "UREQ_PROJECT_BILLING_NOT_FOUND",
    ],
    is: [
      "PERMISSION_DENIED",
      `Project ${PROJECT} has no billing account, and Google Cloud does this only where there is one.`,
      `gcloud billing projects link ${PROJECT} --billing-account ACCOUNT_ID, which one of these may be: gcloud billing accounts list`,
    ],
  },
  "a region that Cloud Run lacks": {
    gcloud: "ERROR: (gcloud.run.deploy) NOT_FOUND: Location 'mars-north1' is not found or access is unauthorized.",
    api: [404, "NOT_FOUND", "Location mars-north1 is not found or access is unauthorized."],
    is: [
      "NOT_FOUND",
      `There is no region mars-north1, or project ${PROJECT} may not use it.`,
      `See those that there are: gcloud run regions list --project ${PROJECT}`,
    ],
  },
  "a region that gcloud does not find": {
    gcloud: `ERROR: (gcloud.run.deploy) Deployment endpoint was not found. The provided region was invalid. Pass the \`--region\` flag or set the \`run/region\` property to a valid region and retry.`,
    api: [404, "NOT_FOUND", `Location '${REGION}' is not found or access is unauthorized.`],
    is: [
      "NOT_FOUND",
      `There is no region ${REGION}, or project ${PROJECT} may not use it.`,
      `See those that there are: gcloud run regions list --project ${PROJECT}`,
    ],
  },
  "an API that is not enabled": {
    gcloud: `ERROR: (gcloud.run.deploy) PERMISSION_DENIED: ${NOT_ENABLED}`,
    api: [403, "PERMISSION_DENIED", NOT_ENABLED, "SERVICE_DISABLED"],
    is: [
      "PERMISSION_DENIED",
      `run.googleapis.com is not enabled in project ${PROJECT}.`,
      `gcloud services enable run.googleapis.com --project ${PROJECT}`,
    ],
  },
  "a quota that is spent": {
    gcloud: `ERROR: (gcloud.run.deploy) RESOURCE_EXHAUSTED: ${RATE}`,
    api: [429, "RESOURCE_EXHAUSTED", RATE, "RATE_LIMIT_EXCEEDED"],
    is: [
      "UNAVAILABLE",
      `A quota of project ${PROJECT} is spent: ${RATE}`,
      `Run the command again in a minute, or ask for more: https://console.cloud.google.com/iam-admin/quotas?project=${PROJECT}`,
    ],
  },
  "a quota of what there may be at a time": {
    gcloud: "ERROR: (gcloud.run.deploy) Quota exceeded for total allowable CPU per project per region.",
    api: [400, "FAILED_PRECONDITION", "Quota exceeded for total allowable CPU per project per region."],
    is: [
      "UNAVAILABLE",
      `A quota of project ${PROJECT} is spent: Quota exceeded for total allowable CPU per project per region.`,
      `Run the command again in a minute, or ask for more: https://console.cloud.google.com/iam-admin/quotas?project=${PROJECT}`,
    ],
  },
};

test.for(Object.entries(CASES))("through gcloud and through the API, %s is the same error", ([, { gcloud, api, is }]) => {
  const [status, code, message, reason] = api;
  const details = reason ? [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: "googleapis.com" }] : undefined;
  const text = JSON.stringify({ error: { code: status, message, ...(code && { status: code }), details } });
  for (const error of [
    readGcloudError({ stdout: "", stderr: gcloud, exitCode: 1, args }),
    readApiError(status, text, "run.googleapis.com", { project: PROJECT, region: REGION }),
  ])
    expect([error.code, error.message, error.hint]).toEqual(is);
});

test("an HTML page isn't quoted, and a response that isn't JSON isn't taken for a result", () => {
  const page = "<!DOCTYPE html>\n<html><title>Error 404 (Not Found)!!1</title></html>";
  const error = readApiError(404, page, "mars-north1-run.googleapis.com", { project: PROJECT, region: REGION });
  expect([error.code, error.message]).toEqual([
    "NOT_FOUND",
    "mars-north1-run.googleapis.com answered 404: with a page instead of an answer.",
  ]);
});
