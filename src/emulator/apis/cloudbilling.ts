import { requireProject } from "../state/projects.ts";
import type { ApiRequest } from "../server/api-request.ts";
import { invalidArgument } from "../server/errors.ts";
import { listPage } from "./pagination.ts";
import type { Project } from "../state/resources.ts";
import type { Api } from "../server/router.ts";
import type { Runtime } from "../runtime.ts";

/** The account that a new project is linked to. */
const BILLING_ACCOUNT = {
  name: "billingAccounts/000000-000000-000000",
  open: true,
  displayName: "The emulator's billing account",
  masterBillingAccount: "",
};

// Unlike Cloud Run: the only billing account is never charged, and anyone who can change a project's billing can link it.
/** Cloud Billing, for projects: https://cloud.google.com/billing/docs/reference/rest/v1/projects */
export function createCloudBillingApi({ state }: Pick<Runtime, "state">): Api {
  const project = (request: ApiRequest): Project => requireProject(state, request.param("project"));
  return {
    hosts: ["cloudbilling.googleapis.com"],
    routes: {
      "GET /v1/billingAccounts": { handle: (request) => listPage(request.query, "billingAccounts", [BILLING_ACCOUNT]) },
      "GET /v1/projects/{project}/billingInfo": {
        permission: "resourcemanager.projects.get",
        handle: (request) => billingInfo(project(request)),
      },
      "PUT /v1/projects/{project}/billingInfo": {
        permission: "resourcemanager.projects.createBillingAssignment",
        handle: async (request) => {
          const { billingAccountName = "" } = await request.body.json();
          if (billingAccountName !== "" && billingAccountName !== BILLING_ACCOUNT.name)
            throw invalidArgument(`Billing account ${String(billingAccountName)} not found.`);
          const { unbilled: _, ...rest } = project(request);
          const next: Project = { ...rest, ...(billingAccountName === "" && { unbilled: true as const }) };
          state.projects.set(next.projectId, next);
          return billingInfo(next);
        },
      },
    },
  };
}

function billingInfo({ projectId, unbilled }: Project): object {
  return {
    name: `projects/${projectId}/billingInfo`,
    projectId,
    billingAccountName: unbilled ? "" : BILLING_ACCOUNT.name,
    billingEnabled: !unbilled,
  };
}
