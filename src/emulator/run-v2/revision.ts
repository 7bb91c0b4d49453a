import type { KnativeRevision } from "../run/knative.ts";
import { readiness } from "../run/conditions.ts";
import { resourceName, type Place } from "../run/naming.ts";
import { serviceOf } from "../run/revisions.ts";
import type { Message } from "./annotation-fields.ts";
import { showCondition } from "./conditions.ts";
import { etagOf, updateTimeOf } from "./service.ts";
import { showTemplate } from "./template.ts";

/** A revision of v1 as v2 shows it: https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services.revisions */
export function showRevision(place: Place, revision: KnativeRevision): Message {
  const { metadata, spec, status } = revision;
  const service = serviceOf(revision);
  const template = showTemplate(metadata, spec);
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
    // A revision is of the image that its tag stood for when it was made.
    containers: [{ ...first, ...(status.imageDigest && { image: status.imageDigest }) }, ...others],
    conditions: status.conditions.map(showCondition),
    observedGeneration: String(status.observedGeneration),
    ...(readiness(status.conditions) === undefined && { reconciling: true }),
    etag: etagOf(metadata),
  };
}
