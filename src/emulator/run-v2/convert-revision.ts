import type { KnativeRevision } from "../run/knative.ts";
import { readReadiness } from "../run/conditions.ts";
import { resourceName, type Place } from "../run/names.ts";
import { serviceOf } from "../run/revisions.ts";
import type { Message } from "./annotation-fields.ts";
import { toConditionMessage } from "./convert-conditions.ts";
import { etagOf, updateTimeOf } from "./convert-service.ts";
import { toTemplateMessage } from "./convert-template.ts";

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
