import { failedWith, type ApiClient, type ApiRequest } from "./client.ts";
import { serviceUrl } from "../messages/knative-url.ts";
import { pause, withRetry } from "../retry.ts";
import type { ServiceName } from "../names.ts";
import type { KnativeService } from "../messages/knative-service.ts";

export type Spec = NonNullable<KnativeService["spec"]>;

/** Milliseconds between two looks at a service that becomes ready: at first, and at most. */
const FIRST_PAUSE = 150;
const LONGEST_PAUSE = 3000;
/** How often others may be faster. */
const CONFLICTS = 10;
/** How often in a row a service may not be seen until it is given up: some minutes. */
const PATIENCE = 20;

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
  const replace = async () => {
    const existing = (await client.call(serviceRead(options))) as KnativeService;
    const body = { ...existing, metadata: metadata(existing), spec: await change(existing) };
    return (await client.call({ method: "PUT", url: serviceUrl(options), body })) as KnativeService;
  };
  // Where an answer got lost, what was written is there when it is read again, and the same once more makes no other revision.
  const made = await withRetry(replace, { signal, conflicts: CONFLICTS });
  return waitUntilReady(client, options, made, { condition, signal });
}

/** The service when a condition of it has come true; throws why where it has not. https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services#servicestatus */
async function waitUntilReady(
  client: ApiClient,
  options: ServiceName,
  made: KnativeService,
  { condition, signal }: Pick<Waiting, "condition" | "signal">,
): Promise<KnativeService> {
  let service = made;
  for (let wait = FIRST_PAUSE; ; wait = Math.min(wait * 1.5, LONGEST_PAUSE)) {
    const { conditions = [], observedGeneration } = service.status ?? {};
    // A later one has what was made here, too: somebody else has changed the service meanwhile.
    if (observedGeneration !== undefined && observedGeneration >= (made.metadata?.generation ?? 0)) {
      // Traffic is divided whether or not the latest revision is any good.
      const failed = conditions.find(({ type, status }) => status === "False" && (condition === "Ready" || type === condition));
      if (failed) throw failedWith(failed.message ?? failed.reason ?? "The revision did not become ready.", options);
      if (conditions.find(({ type }) => type === condition)?.status === "True") return service;
    }
    await pause(wait, signal);
    service = (await withRetry(() => client.call(serviceRead(options)), { signal, failures: PATIENCE })) as KnativeService;
  }
}
