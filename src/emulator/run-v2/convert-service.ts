import { ApiError } from "../server/errors.ts";
import { findCondition, readReadiness } from "../run/conditions.ts";
import type { KnativeRevision, KnativeService, TrafficTarget } from "../run/knative.ts";
import { resourceName, type Place } from "../run/names.ts";
import { serviceOf } from "../run/revisions.ts";
import { unmappedKeys, userKeys, SERVICE_FIELDS, annotationsToFields, fieldsToAnnotations, type Message } from "./annotation-fields.ts";
import { toConditionMessage } from "./convert-conditions.ts";
import { setFields } from "./convert-container.ts";
import type { ServiceMessage } from "./service-schema.ts";
import { toKnativeTemplate, toTemplateMessage } from "./convert-template.ts";

/**
 * Converts a Service of v2 to v1, which is the stored form:
 * https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services. Google's annotations of the `current` service without a
 * field in v2 stay. The resource version is missing: the etag replaces it.
 */
export function toKnativeService(message: ServiceMessage, name: string, place: Place, current: KnativeService | undefined): Message {
  const { template = {}, traffic = [] } = message;
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: {
      name,
      namespace: place.project.projectNumber,
      labels: { ...message.labels },
      annotations: {
        ...unmappedKeys(SERVICE_FIELDS, current?.metadata.annotations),
        ...message.annotations,
        ...fieldsToAnnotations(SERVICE_FIELDS, message),
      },
    },
    spec: {
      template: toKnativeTemplate(template, current?.spec.template),
      traffic: traffic.map(({ type, revision, percent, tag }) => ({
        ...setFields({ percent, tag }),
        ...(type === "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" ? { latestRevision: true } : { revisionName: revision }),
      })),
    },
  };
}

export function toServiceMessage(place: Place, { metadata, spec, status }: KnativeService): Message {
  const { annotations, generation, creationTimestamp } = metadata;
  const ready = findCondition(status.conditions, "Ready");
  const name = resourceName(place, metadata.name);
  const fullName = (revision: string | undefined) => revision && `${name}/revisions/${revision}`;
  return {
    name,
    uid: metadata.uid,
    generation: String(generation),
    ...setFields({ labels: userKeys(metadata.labels), annotations: userKeys(annotations) }),
    createTime: creationTimestamp,
    updateTime: updateTimeOf(metadata),
    creator: annotations["serving.knative.dev/creator"],
    lastModifier: annotations["serving.knative.dev/lastModifier"],
    launchStage: "GA",
    ...annotationsToFields(SERVICE_FIELDS, annotations),
    template: {
      ...setFields({ revision: spec.template.metadata?.name }),
      ...toTemplateMessage(spec.template.metadata, spec.template.spec),
    },
    traffic: spec.traffic.map(toTargetMessage),
    observedGeneration: String(status.observedGeneration),
    ...(ready && { terminalCondition: toConditionMessage(ready) }),
    conditions: status.conditions.filter(({ type }) => type !== "Ready").map(toConditionMessage),
    ...setFields({
      latestReadyRevision: fullName(status.latestReadyRevisionName),
      latestCreatedRevision: fullName(status.latestCreatedRevisionName),
    }),
    trafficStatuses: status.traffic.map((target) => ({
      ...toTargetMessage(target),
      ...setFields({ revision: target.revisionName, uri: target.url }),
    })),
    uri: status.url,
    urls: JSON.parse(annotations["run.googleapis.com/urls"] ?? "[]") as string[],
    ...(status.observedGeneration < metadata.generation && { reconciling: true }),
    etag: etagOf(metadata),
  };
}

function etagOf({ resourceVersion }: { readonly resourceVersion: string }): string {
  return `"${Buffer.from(resourceVersion).toString("base64")}"`;
}

/** Throws ApiError ABORTED if an etag is given that isn't the current one. */
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

/** The time of the last update of a service or revision: its version counts microseconds. */
function updateTimeOf({ resourceVersion }: { readonly resourceVersion: string }): string {
  return new Date(Number(resourceVersion) / 1000).toISOString();
}

function toTargetMessage({ latestRevision, revisionName, percent, tag }: TrafficTarget): Message {
  return {
    type: `TRAFFIC_TARGET_ALLOCATION_TYPE_${latestRevision ? "LATEST" : "REVISION"}`,
    ...(!latestRevision && setFields({ revision: revisionName })),
    ...(percent ? { percent } : {}),
    ...setFields({ tag }),
  };
}

/** Converts a revision of v1 to v2: https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services.revisions */
export function toRevisionMessage(place: Place, revision: KnativeRevision): Message {
  const { metadata, spec, status } = revision;
  const service = serviceOf(revision);
  const template = toTemplateMessage(metadata, spec);
  const [first, ...others] = template["containers"] as Message[];
  return {
    name: `${resourceName(place, service)}/revisions/${metadata.name}`,
    uid: metadata.uid,
    generation: String(metadata.generation),
    createTime: metadata.creationTimestamp,
    updateTime: updateTimeOf(metadata),
    creator: metadata.annotations["serving.knative.dev/creator"],
    launchStage: "GA",
    service,
    ...template,
    // A revision uses the image that its tag referred to when it was created.
    containers: [{ ...first, ...(status.imageDigest && { image: status.imageDigest }) }, ...others],
    conditions: status.conditions.map(toConditionMessage),
    observedGeneration: String(status.observedGeneration),
    ...(readReadiness(status.conditions) === undefined && { reconciling: true }),
    etag: etagOf(metadata),
  };
}
