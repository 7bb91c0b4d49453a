import { serviceUrl } from "../messages/knative-url.ts";
import type { KnativeService } from "../messages/knative-service.ts";
import type { ServiceName } from "../names.ts";
import { withRetry } from "../retry.ts";
import { requestLine, type ApiClient, type ApiRequest } from "./client.ts";
import { deployFailure } from "./errors.ts";
import { pollRequest } from "./poll-request.ts";

const MAX_CONFLICTS = 10;

export type ServiceChange = Pick<KnativeService, "metadata" | "spec">;

interface Replacement {
  change(existing: KnativeService): ServiceChange | Promise<ServiceChange>;
  readonly condition: "Ready" | "RoutesReady";
  readonly signal: AbortSignal;
}

export function serviceRequest(options: ServiceName): ApiRequest {
  return { method: "GET", url: serviceUrl(options) };
}

function putRequest(options: ServiceName, body: object): ApiRequest {
  return { method: "PUT", url: serviceUrl(options), body };
}

/** The lines of `replaceService`, which also sends these reads before it writes. */
export function planReplacement(options: ServiceName, change: ServiceChange, ...reads: readonly ApiRequest[]): string[] {
  return [serviceRequest(options), ...reads, putRequest(options, change), serviceRequest(options)].map(requestLine);
}

/** Reads a service and replaces it; again from the start if another client was faster. Resolves when the condition has become true. */
export async function replaceService(
  client: ApiClient,
  options: ServiceName,
  { change, condition, signal }: Replacement,
): Promise<KnativeService> {
  const replace = async () => {
    const existing = await client.call<KnativeService>(serviceRequest(options));
    return client.call<KnativeService>(putRequest(options, { ...existing, ...(await change(existing)) }));
  };
  // If a response got lost, the next attempt reads what was written, and writing that again creates no other revision.
  const written = await withRetry(replace, { signal, conflicts: MAX_CONFLICTS });
  const generation = written.metadata?.generation ?? 0;
  return pollRequest(
    client,
    serviceUrl(options),
    (service: KnativeService) => (isReady(service, options, generation, condition) ? service : undefined),
    { signal, firstPauseMs: 150, maxPauseMs: 3000, known: written },
  );
}

/** Throws the reason if the condition failed. https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services#servicestatus */
function isReady({ status }: KnativeService, options: ServiceName, generation: number, condition: Replacement["condition"]): boolean {
  const { conditions = [], observedGeneration } = status ?? {};
  // A later generation contains the change, too: another client has changed the service meanwhile.
  if (observedGeneration === undefined || observedGeneration < generation) return false;
  // Traffic is split whether or not the latest revision is ready.
  const failed = conditions.find((known) => known.status === "False" && (condition === "Ready" || known.type === condition));
  if (failed) throw deployFailure(failed.message ?? failed.reason ?? "The revision didn't become ready.", options);
  return conditions.find(({ type }) => type === condition)?.status === "True";
}
