import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { buildByApi, planApiBuild } from "./api-build.ts";
import { assertUnderstood, withFlags } from "./api-flags.ts";
import { failedWith, type ApiClient, type ApiRequest } from "./api-client.ts";
import type { BuildOptions, DeployOptions, ServiceName } from "./cloud.ts";
import type { KnativeService } from "./knative-service.ts";
import { withLabels } from "./labels.ts";
import { defaultImage } from "./repository.ts";

/** Milliseconds between two looks at a service that becomes ready. */
const PAUSE = 300;

export function serviceUrl({ project, region, service }: ServiceName): string {
  return `${servicesUrl({ project, region, service })}/${service}`;
}

function servicesUrl({ project, region }: ServiceName): string {
  return `https://${region}-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/${project}/services`;
}

/** Creates the service, or replaces it with one that has the new image and keeps the rest; resolves when the revision is ready. */
export async function deployByApi(
  client: ApiClient,
  options: DeployOptions,
  context: Pick<Context, "terminal" | "signal">,
): Promise<KnativeService> {
  assertUnderstood(options.gcloudFlags);
  const image = imageOf(options);
  if (options.source !== undefined) await buildByApi(client, buildOf(options, options.source), context);
  for (let attempt = 1; ; attempt += 1) {
    const existing = await find(client, options);
    try {
      const made = (await client.call(existing ? replacement(options, image, existing) : creation(options, image))) as KnativeService;
      return await waitUntilReady(client, options, made, context.signal);
    } catch (error) {
      // Somebody else has replaced it since it was read.
      if (!(error instanceof CliError && error.code === "CONFLICT") || attempt === 5) throw error;
      await sleep(100 * 2 ** attempt * (0.5 + Math.random() / 2));
    }
  }
}

/** The requests of a deployment, in order, for a service that is not there yet. */
export function planApiDeploy(options: DeployOptions): ApiRequest[] {
  assertUnderstood(options.gcloudFlags);
  const image = imageOf(options);
  const build = options.source === undefined ? [] : planApiBuild(buildOf(options, options.source));
  return [...build, { method: "GET", url: serviceUrl(options) }, creation(options, image), { method: "GET", url: serviceUrl(options) }];
}

/** What a deployment's flags say is of the service, not of its build. */
function buildOf(options: DeployOptions, directory: string): BuildOptions {
  return { ...options, directory, image: imageOf(options), gcloudFlags: [] };
}

function imageOf(options: DeployOptions): string {
  return options.image ?? defaultImage(options);
}

async function find(client: ApiClient, options: ServiceName): Promise<KnativeService | undefined> {
  try {
    return (await client.call({ method: "GET", url: serviceUrl(options) })) as KnativeService;
  } catch (error) {
    if (error instanceof CliError && error.code === "NOT_FOUND" && "service" in error.details) return undefined;
    throw error;
  }
}

function creation(options: DeployOptions, image: string): ApiRequest {
  const empty: KnativeService = { metadata: {}, spec: {} };
  return { method: "POST", url: servicesUrl(options), body: withFlags(withRevision(options, image, empty), options.gcloudFlags) };
}

function replacement(options: DeployOptions, image: string, existing: KnativeService): ApiRequest {
  return { method: "PUT", url: serviceUrl(options), body: withFlags(withRevision(options, image, existing), options.gcloudFlags) };
}

/** The service as it is wanted: what it has already stays, but for its image and for what was said. */
function withRevision(options: DeployOptions, image: string, existing: KnativeService) {
  const { status } = existing;
  const { metadata, spec }: KnativeService = options.labels ? withLabels(existing, { set: options.labels }) : existing;
  const { tag, noTraffic, env = {}, serviceAccount, service, project } = options;
  const [container, ...others] = spec?.template?.spec?.containers ?? [];
  const variables = [
    ...(container?.env ?? []).filter(({ name }) => !(name in env)),
    ...Object.entries(env).map(([name, value]) => ({ name, value })),
  ];
  // The revision needs a name of its own where the traffic speaks of it.
  const name = tag || noTraffic ? `${service}-${String((metadata?.generation ?? 0) + 1).padStart(5, "0")}-${letters()}` : undefined;
  const { name: _, ...template } = spec?.template?.metadata ?? {};
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { ...metadata, name: service, namespace: project },
    spec: {
      ...spec,
      template: {
        metadata: { ...template, ...(name && { name }) },
        spec: {
          ...spec?.template?.spec,
          containers: [{ ...container, image, ...(variables.length > 0 && { env: variables }) }, ...others],
          ...(serviceAccount && { serviceAccountName: serviceAccount }),
        },
      },
      traffic: traffic(spec?.traffic, status?.latestReadyRevisionName, { tag, noTraffic, name }),
    },
  };
}

type Traffic = NonNullable<NonNullable<KnativeService["spec"]>["traffic"]>;

/** Without a word about it, traffic stays as it is; all of it goes to the latest revision at first. */
function traffic(
  existing: Traffic = [{ latestRevision: true, percent: 100 }],
  serving: string | undefined,
  wanted: { tag?: string; noTraffic?: boolean; name?: string },
): Traffic {
  const { tag, noTraffic, name } = wanted;
  const kept = tag
    ? existing
        .map((target) => (target.tag === tag ? { ...target, tag: undefined } : target))
        .filter(({ tag: other, percent }) => other || percent)
    : existing;
  // What follows the latest revision has to stay with the one that serves now.
  const held =
    noTraffic && serving
      ? kept.map(({ latestRevision, ...target }) => (latestRevision ? { ...target, revisionName: serving } : target))
      : kept;
  return tag && name ? [...held, { revisionName: name, tag }] : held;
}

function letters(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => String.fromCharCode(97 + (byte % 26))).join("");
}

/** The service when a condition of it has come true; throws why where it has not. https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services#servicestatus */
export async function waitUntilReady(
  client: ApiClient,
  options: ServiceName,
  made: KnativeService,
  signal: AbortSignal,
  condition: "Ready" | "RoutesReady" = "Ready",
): Promise<KnativeService> {
  for (let service = made; ; service = (await client.call({ method: "GET", url: serviceUrl(options) })) as KnativeService) {
    const { conditions = [], observedGeneration } = service.status ?? {};
    // A later one has what was made here, too: somebody else has changed the service meanwhile.
    if (observedGeneration !== undefined && observedGeneration >= (made.metadata?.generation ?? 0)) {
      // Traffic is divided whether or not the latest revision is any good.
      const failed = conditions.find(({ type, status }) => status === "False" && (condition === "Ready" || type === condition));
      if (failed) throw failedWith(failed.message ?? failed.reason ?? "The revision did not become ready.", options);
      if (conditions.find(({ type }) => type === condition)?.status === "True") return service;
    }
    await sleep(PAUSE, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
