import type { Cloud, EnableOptions, Policy } from "../cloud.ts";
import type { ProjectName } from "../names.ts";
import type { Gcloud } from "./process.ts";

type Lines = readonly (readonly string[])[];

export const projectLines = {
  projectPolicy: ({ project }: ProjectName): Lines => [["projects", "get-iam-policy", project, "--quiet", "--format=json"]],
  enable: ({ project, apis }: EnableOptions): Lines => [["services", "enable", ...apis, "--project", project, "--quiet"]],
};

/** A project's policy and its APIs, by the real gcloud. */
export function createProject(gcloud: Gcloud): Pick<Cloud, "projectPolicy" | "enable"> {
  return {
    async projectPolicy(options) {
      const [line = []] = projectLines.projectPolicy(options);
      const { bindings = [], etag = "" } = JSON.parse(await gcloud(line, { isProbe: true })) as Partial<Policy>;
      return { bindings, etag };
    },
    async enable(options) {
      const [line = []] = projectLines.enable(options);
      await gcloud(line, { isProbe: true });
    },
  };
}
