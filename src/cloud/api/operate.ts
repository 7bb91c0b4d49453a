import { setTimeout as sleep } from "node:timers/promises";
import type { CloudContext } from "../cloud-context.ts";
import { CliError } from "../../errors/cli-error.ts";
import type { ApiClient, ApiRequest } from "./client.ts";
import { serviceUrl } from "../messages/knative-url.ts";
import { planEnvironment, setEnvironment } from "./environment.ts";
import { replaceService, serviceRead, type Spec } from "./replace.ts";
import type { Cloud } from "../cloud.ts";
import type { Place, ServiceName } from "../names.ts";
import { readRevisions, readVariables, type KnativeRevision } from "../messages/knative-revision.ts";
import { readService, readServices, type KnativeService } from "../messages/knative-service.ts";
import type { ListOptions, TrafficOptions } from "../operate.ts";
import { assertWhole, newTargets } from "../traffic.ts";

type Operate = Pick<Cloud, "list" | "revisions" | "traffic" | "delete" | "environment" | "setEnvironment">;

/** Milliseconds between two looks at a service that is going away. */
const PAUSE = 300;

/** Operating services by Google's APIs. */
export function createOperate(
  client: (place: Place) => ApiClient,
  { terminal, signal }: Pick<CloudContext, "terminal" | "signal">,
): Operate {
  const get = async (options: ServiceName) => (await client(options).call(serviceRead(options))) as KnativeService;
  return {
    async list(options) {
      const api = client({ project: options.project, region: options.region ?? "global" });
      const { items = [], unreachable = [] } = (await api.call(servicesRead(options))) as {
        items?: KnativeService[];
        unreachable?: string[];
      };
      if (unreachable.length > 0) terminal.warn(`No answer came from ${unreachable.join(", ")}: services there are not shown.`);
      return readServices(items, options.project);
    },
    async revisions(options) {
      const [service, revisions] = await Promise.all([get(options), listRevisions(client(options), options)]);
      return readRevisions(revisions, readService(service, options));
    },
    async traffic(options) {
      assertWhole(options.to);
      return readService(
        await replaceService(client(options), options, ({ spec }) => withTraffic(spec, options), { condition: "RoutesReady", signal }),
        options,
      );
    },
    async delete(options) {
      const api = client(options);
      await api.call({ method: "DELETE", url: serviceUrl(options) });
      while (await isThere(api, options)) await sleep(PAUSE, undefined, { signal }).catch(() => signal.throwIfAborted());
    },
    environment: async (options) => readVariables((await get(options)).spec?.template?.spec),
    setEnvironment: async (options) => readService(await setEnvironment(client(options), options, signal), options),
  };
}

/** The requests of each step, in order. */
export const operateRequests = {
  list: (options: ListOptions): ApiRequest[] => [servicesRead(options)],
  revisions: (options: ServiceName): ApiRequest[] => [serviceRead(options), revisionsRead(options)],
  traffic: (options: TrafficOptions): ApiRequest[] => [
    serviceRead(options),
    { method: "PUT", url: serviceUrl(options), body: { spec: withTraffic({}, options) } },
    serviceRead(options),
  ],
  delete: (options: ServiceName): ApiRequest[] => [{ method: "DELETE", url: serviceUrl(options) }, serviceRead(options)],
  environment: (options: ServiceName): ApiRequest[] => [serviceRead(options)],
  setEnvironment: planEnvironment,
};

function withTraffic(spec: Spec | undefined, options: TrafficOptions): Spec {
  return { ...spec, traffic: newTargets(spec?.traffic, options) };
}

async function isThere(client: ApiClient, options: ServiceName): Promise<boolean> {
  try {
    await client.call(serviceRead(options));
    return true;
  } catch (error) {
    if (error instanceof CliError && error.code === "NOT_FOUND") return false;
    throw error;
  }
}

async function listRevisions(client: ApiClient, options: ServiceName): Promise<KnativeRevision[]> {
  const found: KnativeRevision[] = [];
  for (let next: string | undefined = ""; next !== undefined;) {
    const { items = [], metadata } = (await client.call(revisionsRead(options, next))) as {
      items?: KnativeRevision[];
      metadata?: { continue?: string };
    };
    found.push(...items);
    next = metadata?.continue || undefined;
  }
  return found;
}

/** The one host that knows the services of all regions. */
function servicesRead({ project, region = "-" }: ListOptions): ApiRequest {
  return { method: "GET", url: `https://run.googleapis.com/v1/projects/${project}/locations/${region}/services` };
}

function revisionsRead({ project, region, service }: ServiceName, next = ""): ApiRequest {
  const query = new URLSearchParams({
    labelSelector: `serving.knative.dev/service=${service}`,
    limit: "100",
    ...(next && { continue: next }),
  });
  return {
    method: "GET",
    url: `https://${region}-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/${project}/revisions?${query}`,
  };
}
