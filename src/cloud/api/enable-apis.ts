import { CliError } from "../../errors/cli-error.ts";
import type { ApiClient, ApiRequest } from "./client.ts";
import { waitForOperation, type Operation } from "./poll-request.ts";

const SERVICE_USAGE = "https://serviceusage.googleapis.com/v1";
const MAX_BATCH_SIZE = 20;

/**
 * Enables APIs by their names (`run.googleapis.com`) in a project, and waits until they are. Those that are enabled stay so. Throws as the client
 * does, and PERMISSION_DENIED if Google enables none of them. https://cloud.google.com/service-usage/docs/reference/rest/v1/services/batchEnable
 */
export async function enableApis(client: ApiClient, project: string, names: readonly string[], signal?: AbortSignal): Promise<void> {
  for (const request of planEnabling(project, names)) {
    const { error } = await waitForOperation(client, SERVICE_USAGE, await client.call<Operation>(request), signal);
    if (error) throw new CliError("PERMISSION_DENIED", `Couldn't enable ${names.join(", ")}: ${error.message ?? "unknown error"}`);
  }
}

export function planEnabling(project: string, names: readonly string[]): ApiRequest[] {
  const url = `${SERVICE_USAGE}/projects/${project}/services:batchEnable`;
  const requests: ApiRequest[] = [];
  for (let start = 0; start < names.length; start += MAX_BATCH_SIZE)
    requests.push({ method: "POST", url, body: { serviceIds: names.slice(start, start + MAX_BATCH_SIZE) } });
  return requests;
}
