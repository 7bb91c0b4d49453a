import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../errors.ts";
import type { ApiClient, ApiRequest } from "./api-client.ts";
import { serviceUrl, waitUntilReady } from "./api-deploy.ts";
import type { ServiceName } from "./cloud.ts";
import type { KnativeService } from "./knative-service.ts";

export type Spec = NonNullable<KnativeService["spec"]>;

export function serviceRead(options: ServiceName): ApiRequest {
  return { method: "GET", url: serviceUrl(options) };
}

interface Waiting {
  readonly condition: "Ready" | "RoutesReady";
  readonly signal: AbortSignal;
  /** What is to stand above the spec, where that changes too. */
  readonly metadata?: (existing: KnativeService) => KnativeService["metadata"];
}

/**
 * Reads a service, and replaces it with one of another spec; again from the start where somebody else was faster. Resolves when the condition has
 * come true.
 */
export async function replaceService(
  client: ApiClient,
  options: ServiceName,
  change: (existing: KnativeService) => Spec | Promise<Spec>,
  { condition, signal, metadata = ({ metadata: same }) => same }: Waiting,
): Promise<KnativeService> {
  for (let attempt = 1; ; attempt += 1) {
    const existing = (await client.call(serviceRead(options))) as KnativeService;
    const body = { ...existing, metadata: metadata(existing), spec: await change(existing) };
    try {
      const made = (await client.call({ method: "PUT", url: serviceUrl(options), body })) as KnativeService;
      return await waitUntilReady(client, options, made, signal, condition);
    } catch (error) {
      if (!(error instanceof CliError && error.code === "CONFLICT") || attempt === 5) throw error;
      await sleep(100 * 2 ** attempt * (0.5 + Math.random() / 2));
    }
  }
}
