import type { EnableOptions } from "../cloud.ts";
import type { ProjectName } from "../names.ts";
import { defineVerb } from "../verb.ts";
import { requestLine, type ApiClient, type ApiRequest } from "./client.ts";
import { runOperation } from "./poll-request.ts";
import { requestVerb, type ClientFor } from "./request-verb.ts";

/** Google's own limit. */
const MAX_BATCH_SIZE = 20;

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

/** Enables APIs by their names (`run.googleapis.com`), and waits until they are enabled. Throws as the client does. */
export async function enableApis(client: ApiClient, project: string, names: readonly string[], signal?: AbortSignal): Promise<void> {
  for (const request of planEnabling(project, names)) await runOperation(client, request, signal, "PERMISSION_DENIED");
}

// https://cloud.google.com/service-usage/docs/reference/rest/v1/services/batchEnable
export function planEnabling(project: string, names: readonly string[]): ApiRequest[] {
  const url = `https://serviceusage.googleapis.com/v1/projects/${project}/services:batchEnable`;
  const requests: ApiRequest[] = [];
  for (let start = 0; start < names.length; start += MAX_BATCH_SIZE)
    requests.push({ method: "POST", url, body: { serviceIds: names.slice(start, start + MAX_BATCH_SIZE) } });
  return requests;
}
