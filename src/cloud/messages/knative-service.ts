import type { Service } from "../service.ts";
import type { ServiceName } from "../names.ts";
import { readInstances, readVariables, type KnativeCondition, type KnativeRevisionSpec } from "./knative-revision.ts";

/** The fields of https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services that are read. */
export interface KnativeService {
  readonly metadata?: {
    readonly name?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: {
    readonly template?: {
      readonly metadata?: {
        readonly name?: string;
        readonly annotations?: Readonly<Record<string, string>>;
        readonly labels?: Readonly<Record<string, string>>;
      };
      readonly spec?: KnativeRevisionSpec;
    };
    readonly traffic?: readonly KnativeTarget[];
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly url?: string;
    readonly latestReadyRevisionName?: string;
    readonly latestCreatedRevisionName?: string;
    readonly traffic?: readonly (KnativeTarget & { readonly url?: string })[];
    readonly conditions?: readonly KnativeCondition[];
  };
}

/** https://cloud.google.com/run/docs/reference/rest/v1/TrafficTarget */
export interface KnativeTarget {
  readonly latestRevision?: boolean;
  readonly revisionName?: string;
  readonly percent?: number;
  readonly tag?: string;
}

export function readService({ metadata, spec, status }: KnativeService, { service, project, region }: ServiceName): Service {
  const annotations = metadata?.annotations ?? {};
  const url = status?.url ?? "";
  const { template } = spec ?? {};
  const conditions = status?.conditions ?? [];
  const minScale = annotations["run.googleapis.com/minScale"];
  return {
    service,
    project,
    region,
    url,
    urls: [...new Set([...list(annotations["run.googleapis.com/urls"]), ...(url ? [url] : [])])],
    revision: status?.latestReadyRevisionName ?? null,
    latest_created_revision: status?.latestCreatedRevisionName ?? null,
    created: metadata?.creationTimestamp ?? null,
    deployed: conditions.find(({ type }) => type === "ConfigurationsReady")?.lastTransitionTime ?? null,
    last_modifier: annotations["serving.knative.dev/lastModifier"] || null,
    console_url: `https://console.cloud.google.com/run/detail/${region}/${service}/revisions?project=${project}`,
    ...readInstances(template?.spec, template?.metadata?.annotations),
    ...(minScale !== undefined && { min_instances: Number(minScale) }),
    env: readVariables(template?.spec).map(({ name, secret }) => ({ name, secret })),
    labels: userLabels(metadata?.labels ?? {}),
    ingress: annotations["run.googleapis.com/ingress"] ?? "all",
    custom_audiences: list(annotations["run.googleapis.com/custom-audiences"]),
    default_url_disabled: isTrue(annotations["run.googleapis.com/default-url-disabled"]),
    invoker_iam_disabled: isTrue(annotations["run.googleapis.com/invoker-iam-disabled"]),
    iap_enabled: isTrue(annotations["run.googleapis.com/iap-enabled"]),
    traffic: (status?.traffic ?? []).map(({ revisionName, percent, latestRevision, tag, url: tagUrl }) => ({
      revision: revisionName ?? "",
      percent: percent ?? 0,
      latest: latestRevision ?? false,
      tag: tag ?? null,
      url: tagUrl ?? null,
    })),
    conditions: conditions.map(({ type, status: state, reason, message }) => ({
      type: type ?? "",
      status: state ?? "Unknown",
      reason: reason ?? null,
      message: message ?? null,
    })),
  };
}

export function readServices(services: readonly KnativeService[], project: string): Service[] {
  return services
    .map((service) => {
      const { name = "", labels } = service.metadata ?? {};
      return readService(service, { project, service: name, region: labels?.["cloud.googleapis.com/location"] ?? "" });
    })
    .sort((a, b) => (`${a.region}/${a.service}` < `${b.region}/${b.service}` ? -1 : 1));
}

function userLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !name.includes(".")));
}

function list(annotation: string | undefined): string[] {
  return annotation === undefined ? [] : (JSON.parse(annotation) as string[]);
}

/** gcloud writes `True`, other clients `true`. */
function isTrue(annotation: string | undefined): boolean {
  return annotation?.toLowerCase() === "true";
}
