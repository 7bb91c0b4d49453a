import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../../errors/cli-error.ts";
import type { ApiClient, ApiRequest } from "./client.ts";

const SERVICE_USAGE = "https://serviceusage.googleapis.com/v1";
/** Google's own limit of a batch. */
const MOST_AT_ONCE = 20;
/** Milliseconds between two looks at an operation. */
const PAUSE = 1000;

/**
 * Enables APIs by their names (`run.googleapis.com`) in a project, and waits until they are. Those that are enabled stay so. Throws as the client
 * does, and PERMISSION_DENIED where Google enables none of them. https://cloud.google.com/service-usage/docs/reference/rest/v1/services/batchEnable
 */
export async function enableApis(client: ApiClient, project: string, names: readonly string[], signal?: AbortSignal): Promise<void> {
  for (const request of planEnabling(project, names)) {
    let operation = (await client.call(request)) as { name: string; done?: boolean; error?: { message?: string } };
    while (!operation.done) {
      await sleep(PAUSE, undefined, { signal }).catch(() => signal?.throwIfAborted());
      operation = (await client.call({ method: "GET", url: `${SERVICE_USAGE}/${operation.name}` })) as typeof operation;
    }
    if (operation.error)
      throw new CliError(
        "PERMISSION_DENIED",
        `Google did not enable ${names.join(", ")}: ${operation.error.message ?? "it does not say why"}`,
      );
  }
}

/** The requests of it. */
export function planEnabling(project: string, names: readonly string[]): ApiRequest[] {
  const url = `${SERVICE_USAGE}/projects/${project}/services:batchEnable`;
  const requests: ApiRequest[] = [];
  for (let start = 0; start < names.length; start += MOST_AT_ONCE)
    requests.push({ method: "POST", url, body: { serviceIds: names.slice(start, start + MOST_AT_ONCE) } });
  return requests;
}
