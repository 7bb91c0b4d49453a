import type { EnableOptions } from "../cloud.ts";
import type { ProjectName } from "../names.ts";
import { defineVerb } from "../verb.ts";
import { requestLine } from "./client.ts";
import { enableApis, planEnabling } from "./enable-apis.ts";
import { requestVerb, type ClientFor } from "./request-verb.ts";

export function projectVerbs(clientFor: ClientFor, signal: AbortSignal) {
  return {
    projectNumber: requestVerb(clientFor, {
      request: ({ project }: ProjectName) => ({ method: "GET", url: `https://cloudresourcemanager.googleapis.com/v1/projects/${project}` }),
      read: ({ projectNumber }: { readonly projectNumber: string }) => projectNumber,
    }),
    enable: defineVerb({
      plan: ({ project, apis }: EnableOptions) => planEnabling(project, apis).map(requestLine),
      run: (options) => enableApis(clientFor(options), options.project, options.apis, signal),
    }),
  };
}
