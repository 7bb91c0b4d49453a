import type { EnableOptions } from "../cloud.ts";
import type { ProjectName } from "../names.ts";
import { commandVerb, jsonCommand, parseGcloudJson } from "./command.ts";
import type { Gcloud } from "./process.ts";

export function projectVerbs(gcloud: Gcloud) {
  return {
    projectNumber: commandVerb(gcloud, {
      args: ({ project }: ProjectName) => jsonCommand(["projects", "describe", project]),
      read: (stdout) => parseGcloudJson<{ readonly projectNumber: string }>(stdout).projectNumber,
    }),
    enable: commandVerb(gcloud, {
      args: ({ project, apis }: EnableOptions) => ["services", "enable", ...apis, "--project", project, "--quiet"],
      read: () => {},
    }),
  };
}
