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
const RATE = `quota metric 'Write requests' and limit 'Write requests per minute per region' of service 'run.googleapis.com' for consumer 'project_number:123456789012'.`;

const PROJECTS = "Your projects: https://console.cloud.google.com/cloud-resource-manager";
const REGIONS = "Regions: https://cloud.google.com/run/docs/locations";
const QUOTAS = `Run the command again in a minute, or request a higher quota: https://console.cloud.google.com/iam-admin/quotas?project=${PROJECT}`;
const NO_BILLING = [
  "PERMISSION_DENIED",
  `Billing isn't enabled for project ${PROJECT}.`,
  `To enable it, open https://console.cloud.google.com/billing/linkedaccount?project=${PROJECT}`,
] as const;

const CASES: Readonly<Record<string, Case>> = {
  "a project that doesn't exist": {
    gcloud: `ERROR: (gcloud.run.deploy) PERMISSION_DENIED: Permission denied on resource project ${PROJECT}. This command is authenticated as me@example.com which is the active account specified by the [core/account] property.`,
    api: [403, "PERMISSION_DENIED", `Permission denied on resource project ${PROJECT} (or it may not exist).`],
    is: ["PERMISSION_DENIED", `Project "${PROJECT}" not found, or you don't have access to it.`, PROJECTS],
  },
  "a project that isn't found": {
    gcloud: `ERROR: (gcloud.run.deploy) NOT_FOUND: Project '${PROJECT}' not found or deleted.`,
    api: [404, "NOT_FOUND", `Project '${PROJECT}' not found or deleted.`],
    is: ["NOT_FOUND", `Project "${PROJECT}" not found.`, PROJECTS],
  },
  "a project that Cloud Storage doesn't find": {
    gcloud: `ERROR: (gcloud.builds.submit) HTTPError 400: Unknown project id: ${PROJECT}`,
    api: [400, "", `Unknown project id: ${PROJECT}`],
    is: ["NOT_FOUND", `Project "${PROJECT}" not found.`, PROJECTS],
  },
  "a project that has been deleted": {
    gcloud: `ERROR: (gcloud.run.deploy) PERMISSION_DENIED: Project #123456789012 has been deleted.`,
    api: [403, "PERMISSION_DENIED", "Project #123456789012 has been deleted.", "USER_PROJECT_DENIED"],
    is: [
      "NOT_FOUND",
      `Project "${PROJECT}" has been deleted.`,
      "You can restore it within 30 days: https://console.cloud.google.com/cloud-resource-manager?pendingDeletion=true",
    ],
  },
  "a project without billing": {
    gcloud: `ERROR: (gcloud.run.deploy) PERMISSION_DENIED: ${NOT_BILLED} This command is authenticated as me@example.com which is the active account specified by the [core/account] property.\n- '@type': type.googleapis.com/google.rpc.ErrorInfo\n  domain: googleapis.com\n  reason: BILLING_DISABLED`,
    api: [403, "PERMISSION_DENIED", NOT_BILLED, "BILLING_DISABLED"],
    is: NO_BILLING,
  },
  "a project without billing in which APIs are enabled": {
    gcloud: `ERROR: (gcloud.services.enable) FAILED_PRECONDITION: Billing account for project '123456789012' is not found. Billing must be enabled for activation of service(s) 'run.googleapis.com,run.googleapis.com' to proceed.\nHelp Token: AXx`,
    api: [
      400,
      "FAILED_PRECONDITION",
      `Billing account for project '123456789012' is not found. Billing must be enabled for activation of service(s) 'run.googleapis.com' to proceed.`,
      "UREQ_PROJECT_BILLING_NOT_FOUND",
    ],
    is: NO_BILLING,
  },
  "a region that Cloud Run doesn't have": {
    gcloud: "ERROR: (gcloud.run.deploy) NOT_FOUND: Location 'mars-north1' is not found or access is unauthorized.",
    api: [404, "NOT_FOUND", "Location mars-north1 is not found or access is unauthorized."],
    is: ["NOT_FOUND", `Region "mars-north1" not found, or project ${PROJECT} can't use it.`, REGIONS],
  },
  "a region that gcloud doesn't find": {
    gcloud: `ERROR: (gcloud.run.deploy) Deployment endpoint was not found. The provided region was invalid. Pass the \`--region\` flag or set the \`run/region\` property to a valid region and retry.`,
    api: [404, "NOT_FOUND", `Location '${REGION}' is not found or access is unauthorized.`],
    is: ["NOT_FOUND", `Region "${REGION}" not found, or project ${PROJECT} can't use it.`, REGIONS],
  },
  "an API that isn't enabled": {
    gcloud: `ERROR: (gcloud.run.deploy) PERMISSION_DENIED: ${NOT_ENABLED}`,
    api: [403, "PERMISSION_DENIED", NOT_ENABLED, "SERVICE_DISABLED"],
    is: [
      "PERMISSION_DENIED",
      `run.googleapis.com isn't enabled in project ${PROJECT}.`,
      `To enable it, open https://console.cloud.google.com/apis/library/run.googleapis.com?project=${PROJECT}`,
    ],
  },
  "a rate quota": {
    gcloud: `ERROR: (gcloud.run.deploy) RESOURCE_EXHAUSTED: Quota exceeded for ${RATE}`,
    api: [429, "RESOURCE_EXHAUSTED", `Quota exceeded for ${RATE}`, "RATE_LIMIT_EXCEEDED"],
    is: ["UNAVAILABLE", `Quota exceeded in project ${PROJECT}: ${RATE}`, QUOTAS],
  },
  "a quota of resources": {
    gcloud: "ERROR: (gcloud.run.deploy) Quota exceeded for total allowable CPU per project per region.",
    api: [400, "FAILED_PRECONDITION", "Quota exceeded for total allowable CPU per project per region."],
    is: ["UNAVAILABLE", `Quota exceeded in project ${PROJECT}: total allowable CPU per project per region.`, QUOTAS],
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
  expect([error.code, error.message]).toEqual(["NOT_FOUND", "mars-north1-run.googleapis.com returned 404: an HTML page instead of JSON."]);
});
