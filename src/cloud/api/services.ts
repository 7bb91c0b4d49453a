import { CliError } from "../../errors/cli-error.ts";
import { poll } from "../../http/poll.ts";
import type { CloudContext } from "../cloud-context.ts";
import type { LabelOptions, ListOptions } from "../cloud.ts";
import { readRevisions, readVariables, type KnativeRevision } from "../messages/knative-revision.ts";
import { readService, readServices, type KnativeService } from "../messages/knative-service.ts";
import { serviceUrl } from "../messages/knative-url.ts";
import { withLabels } from "../messages/labels.ts";
import type { ServiceName } from "../names.ts";
import type { TrafficOptions } from "../traffic.ts";
import { assertPercentsAddUp, changeTargets } from "../traffic.ts";
import { defineVerb } from "../verb.ts";
import { requestLine, type ApiClient, type ApiRequest } from "./client.ts";
import { setEnvironmentVerb } from "./environment.ts";
import { listAll } from "./list-all.ts";
import { planReplacement, replaceService, serviceRequest } from "./replace-service.ts";
import { requestVerb, type ClientFor } from "./request-verb.ts";

const DELETION_PAUSE_MS = 300;

export function serviceVerbs(clientFor: ClientFor, { terminal, signal }: Pick<CloudContext, "terminal" | "signal">) {
  const describe = requestVerb(clientFor, { request: serviceRequest, read: readService });
  return {
    describe,
    list: requestVerb(clientFor, {
      request: listRequest,
      read({ items = [], unreachable = [] }: ServiceList, { project }) {
        if (unreachable.length > 0) terminal.warn(`No response from ${unreachable.join(", ")}. Services in these regions aren't listed.`);
        return readServices(items, project);
      },
    }),
    revisions: defineVerb({
      plan: (options: ServiceName) => [serviceRequest(options), revisionsRequest(options)].map(requestLine),
      async run(options) {
        const revisionList = listAll<KnativeRevision>(clientFor(options), "items", (token) => revisionsRequest(options, token));
        const [service, revisions] = await Promise.all([describe(options), revisionList]);
        return readRevisions(revisions, service);
      },
    }),
    traffic: defineVerb({
      plan: (options: TrafficOptions) => planReplacement(options, withTraffic({}, options)),
      async run(options) {
        assertPercentsAddUp(options.to);
        const change = (existing: KnativeService) => withTraffic(existing, options);
        return readService(await replaceService(clientFor(options), options, { change, condition: "RoutesReady", signal }), options);
      },
    }),
    delete: defineVerb({
      plan: (options: ServiceName) => [deleteRequest(options), serviceRequest(options)].map(requestLine),
      async run(options) {
        const client = clientFor(options);
        await client.call(deleteRequest(options));
        const isGone = async () => ((await serviceExists(client, options)) ? undefined : true);
        await poll(isGone, { signal, firstPauseMs: DELETION_PAUSE_MS });
      },
    }),
    environment: requestVerb(clientFor, {
      request: serviceRequest,
      read: ({ spec }: KnativeService) => readVariables(spec?.template?.spec),
    }),
    setEnvironment: setEnvironmentVerb(clientFor, signal),
    setLabels: defineVerb({
      plan: (options: LabelOptions) => planReplacement(options, withLabels({}, options)),
      async run(options) {
        const change = (existing: KnativeService) => withLabels(existing, options);
        return readService(await replaceService(clientFor(options), options, { change, condition: "Ready", signal }), options);
      },
    }),
  };
}

interface ServiceList {
  readonly items?: readonly KnativeService[];
  readonly unreachable?: readonly string[];
}

function withTraffic({ spec }: KnativeService, options: TrafficOptions) {
  return { spec: { ...spec, traffic: changeTargets(spec?.traffic, options) } };
}

async function serviceExists(client: ApiClient, options: ServiceName): Promise<boolean> {
  try {
    await client.call(serviceRequest(options));
    return true;
  } catch (error) {
    if (error instanceof CliError && error.code === "NOT_FOUND") return false;
    throw error;
  }
}

function deleteRequest(options: ServiceName): ApiRequest {
  return { method: "DELETE", url: serviceUrl(options) };
}

/** The one host that knows the services of all regions. */
function listRequest({ project, region = "-" }: ListOptions): ApiRequest {
  return { method: "GET", url: `https://run.googleapis.com/v1/projects/${project}/locations/${region}/services` };
}

function revisionsRequest({ project, region, service }: ServiceName, next = ""): ApiRequest {
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
