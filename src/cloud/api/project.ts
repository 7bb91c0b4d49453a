import type { CloudContext } from "../cloud-context.ts";
import type { ApiClient, ApiRequest } from "./client.ts";
import type { Cloud, EnableOptions, Policy } from "../cloud.ts";
import type { Place, ProjectName } from "../names.ts";
import { enableApis, planEnabling } from "./enable-apis.ts";

export const projectRequests = {
  projectPolicy: ({ project }: ProjectName): readonly ApiRequest[] => [
    {
      method: "POST",
      url: `https://cloudresourcemanager.googleapis.com/v1/projects/${project}:getIamPolicy`,
      // A policy of version 3 shows its conditions: https://cloud.google.com/iam/docs/policies#versions
      body: { options: { requestedPolicyVersion: 3 } },
    },
  ],
  enable: ({ project, apis }: EnableOptions): readonly ApiRequest[] => planEnabling(project, apis),
};

/** A project's policy and its APIs, by Google's. */
export function createProject(
  clientOf: (place: Place) => ApiClient,
  { signal }: Pick<CloudContext, "signal">,
): Pick<Cloud, "projectPolicy" | "enable"> {
  const client = ({ project }: ProjectName) => clientOf({ project, region: "global" });
  return {
    async projectPolicy(options) {
      const [request] = projectRequests.projectPolicy(options);
      const { bindings = [], etag = "" } = (await client(options).call(request as ApiRequest)) as Partial<Policy>;
      return { bindings, etag };
    },
    enable: (options) => enableApis(client(options), options.project, options.apis, signal),
  };
}
