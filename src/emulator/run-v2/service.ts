import { ApiError } from "../server/errors.ts";
import type { Condition, KnativeService, TrafficTarget } from "../run/knative.ts";
import { resourceName, type Place } from "../run/naming.ts";
import { foreignKeys, ownKeys, SERVICE_FIELDS, showAnnotations, writeAnnotations, type Message } from "./annotation-fields.ts";
import { showCondition } from "./conditions.ts";
import { defined } from "./container.ts";
import type { ServiceMessage } from "./request.ts";
import { readTemplate, showTemplate } from "./template.ts";

/**
 * A Service of v2 as v1 has it, for one service kept in one state: https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services
 * Google's annotations of the `current` one that v2 has no field for stay. The resource version is not in it: that is what the etag says.
 */
export function readService(message: ServiceMessage, name: string, place: Place, current: KnativeService | undefined): Message {
  const { template = {}, traffic = [] } = message;
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: {
      name,
      namespace: place.project.projectNumber,
      labels: { ...message.labels },
      annotations: {
        ...foreignKeys(SERVICE_FIELDS, current?.metadata.annotations),
        ...message.annotations,
        ...writeAnnotations(SERVICE_FIELDS, message),
      },
    },
    spec: {
      template: readTemplate(template, current?.spec.template),
      traffic: traffic.map(({ type, revision, percent, tag }) => ({
        ...defined({ percent, tag }),
        ...(type === "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" ? { latestRevision: true } : { revisionName: revision }),
      })),
    },
  };
}

/** A service of v1 as v2 shows it. */
export function showService(place: Place, { metadata, spec, status }: KnativeService): Message {
  const { annotations, generation, creationTimestamp } = metadata;
  const ready = conditionOf(status.conditions, "Ready");
  const name = resourceName(place, metadata.name);
  const revision = (short: string | undefined) => short && `${name}/revisions/${short}`;
  return {
    name,
    uid: metadata.uid,
    generation: String(generation),
    ...defined({ labels: ownKeys(metadata.labels), annotations: ownKeys(annotations) }),
    createTime: creationTimestamp,
    updateTime: updateTimeOf(metadata),
    creator: annotations["serving.knative.dev/creator"],
    lastModifier: annotations["serving.knative.dev/lastModifier"],
    launchStage: "GA",
    ...showAnnotations(SERVICE_FIELDS, annotations),
    template: { ...defined({ revision: spec.template.metadata?.name }), ...showTemplate(spec.template.metadata, spec.template.spec) },
    traffic: spec.traffic.map(showTarget),
    observedGeneration: String(status.observedGeneration),
    ...(ready && { terminalCondition: showCondition(ready) }),
    conditions: status.conditions.filter(({ type }) => type !== "Ready").map(showCondition),
    ...defined({
      latestReadyRevision: revision(status.latestReadyRevisionName),
      latestCreatedRevision: revision(status.latestCreatedRevisionName),
    }),
    trafficStatuses: status.traffic.map((target) => ({
      ...showTarget(target),
      ...defined({ revision: target.revisionName, uri: target.url }),
    })),
    uri: status.url,
    urls: JSON.parse(annotations["run.googleapis.com/urls"] ?? "[]") as string[],
    ...(isReconciling(metadata.generation, status.observedGeneration) && { reconciling: true }),
    etag: etagOf(metadata),
  };
}

/** The etag of a version of a service or a revision. */
export function etagOf({ resourceVersion }: { readonly resourceVersion: string }): string {
  return `"${Buffer.from(resourceVersion).toString("base64")}"`;
}

/** Throws ApiError ABORTED where an etag is given that is not the current version's. */
export function checkEtag(
  { metadata }: { readonly metadata: { readonly name: string; readonly resourceVersion: string } },
  etag?: string | null,
): void {
  if (!etag || etag === etagOf(metadata)) return;
  throw new ApiError(
    "ABORTED",
    `Conflict for resource '${metadata.name}': etag '${etag}' was specified but current etag is '${etagOf(metadata)}'.`,
  );
}

/** When a service or revision was last written: its version counts microseconds. */
export function updateTimeOf({ resourceVersion }: { readonly resourceVersion: string }): string {
  return new Date(Number(resourceVersion) / 1000).toISOString();
}

export function conditionOf(conditions: readonly Condition[], type: string): Condition | undefined {
  return conditions.find((each) => each.type === type);
}

function isReconciling(generation: number, observed: number): boolean {
  return observed < generation;
}

function showTarget({ latestRevision, revisionName, percent, tag }: TrafficTarget): Message {
  return {
    type: `TRAFFIC_TARGET_ALLOCATION_TYPE_${latestRevision ? "LATEST" : "REVISION"}`,
    ...(!latestRevision && defined({ revision: revisionName })),
    ...(percent ? { percent } : {}),
    ...defined({ tag }),
  };
}
