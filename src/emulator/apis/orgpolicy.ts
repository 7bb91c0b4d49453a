import { requireProject } from "../state/projects.ts";
import { findOrgPolicy } from "../organization/org-policies.ts";
import type { OrgPolicy } from "../state/resources.ts";
import type { Api } from "../server/router.ts";
import type { Runtime } from "../runtime.ts";

/** Organization Policy, for effective policies: https://cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/projects.policies */
export function createOrgPolicyApi({ state }: Pick<Runtime, "state">): Api {
  return {
    hosts: ["orgpolicy.googleapis.com"],
    routes: {
      "GET /v2/projects/{project}/policies/{policy}:getEffectivePolicy": {
        permission: "orgpolicy.policy.get",
        handle: (request) => {
          const { projectId, projectNumber } = requireProject(state, request.param("project"));
          const constraint = request.param("policy");
          const policy = findOrgPolicy(state, projectId, `constraints/${constraint}`);
          return { name: `projects/${projectNumber}/policies/${constraint}`, spec: { rules: rulesOf(policy) } };
        },
      },
    },
  };
}

function rulesOf(policy: OrgPolicy | undefined): object[] {
  if (policy?.booleanPolicy) return [{ enforce: policy.booleanPolicy.enforced }];
  const { allValues, allowedValues, deniedValues } = policy?.listPolicy ?? {};
  if (allValues === "ALLOW") return [{ allowAll: true }];
  if (allValues === "DENY") return [{ denyAll: true }];
  return allowedValues || deniedValues ? [{ values: { allowedValues, deniedValues } }] : [];
}
