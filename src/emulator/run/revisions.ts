import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { ApiError } from "../server/errors.ts";
import type { KnativeRevision, KnativeService } from "./knative.ts";
import type { State } from "../state/state.ts";
import { readReadiness, updateConditions } from "./conditions.ts";
import { keyOf, createRevisionName, type Place } from "./names.ts";
import { resourceNotFound } from "./violations.ts";

/** Finds a revision. Throws ApiError NOT_FOUND. */
export function getRevision(state: State, place: Place, name: string): KnativeRevision {
  const revision = state.revisions.get(keyOf(place, name));
  if (!revision) throw resourceNotFound("REVISION", place, name);
  return revision;
}

/** Lists a service's revisions, oldest first. */
export function revisionsOf(state: State, place: Place, service: string): KnativeRevision[] {
  return state.revisions
    .list(keyOf(place, ""))
    .filter((revision) => serviceOf(revision) === service)
    .sort((a, b) => generationOf(a) - generationOf(b));
}

export function serviceOf({ metadata }: KnativeRevision): string {
  return metadata.labels["serving.knative.dev/service"] ?? "";
}

function generationOf({ metadata }: KnativeRevision): number {
  return Number(metadata.labels["serving.knative.dev/configurationGeneration"]);
}

/**
 * Creates the revision of a service's template without storing it; returns the existing revision if its name and spec are the same. Throws
 * ApiError ALREADY_EXISTS if another revision has that name.
 */
export function createRevision(state: State, place: Place, service: KnativeService, now: number): KnativeRevision {
  const { metadata: owner, spec } = service;
  const { metadata: template = {}, spec: revisionSpec } = spec.template;
  const name = template.name ?? createRevisionName(owner.name, owner.generation);
  const existing = state.revisions.get(keyOf(place, name));
  if (existing && serviceOf(existing) === owner.name && isDeepStrictEqual(existing.spec, revisionSpec)) return existing;
  if (existing) throw new ApiError("ALREADY_EXISTS", `Revision named '${name}' with different configuration already exists.`);

  const creationTimestamp = new Date(now).toISOString();
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: {
      name,
      namespace: owner.namespace,
      selfLink: `/apis/serving.knative.dev/v1/namespaces/${owner.namespace}/revisions/${name}`,
      uid: randomUUID(),
      resourceVersion: owner.resourceVersion,
      generation: 1,
      creationTimestamp,
      labels: {
        ...template.labels,
        "serving.knative.dev/route": owner.name,
        "serving.knative.dev/configuration": owner.name,
        "serving.knative.dev/configurationGeneration": String(owner.generation),
        "serving.knative.dev/service": owner.name,
        "serving.knative.dev/serviceUid": owner.uid,
        "cloud.googleapis.com/location": place.region,
      },
      annotations: { ...template.annotations, "serving.knative.dev/creator": owner.annotations["serving.knative.dev/lastModifier"] ?? "" },
    },
    spec: revisionSpec,
    status: {
      observedGeneration: 1,
      conditions: updateConditions(
        [],
        ["Ready", "ContainerHealthy", "ContainerReady", "ResourcesAvailable"].map((type) => ({ type, status: "Unknown" })),
        now,
      ),
    },
  };
}

/** Throws ApiError FAILED_PRECONDITION if the revision is its service's latest or receives traffic. `dryRun` only checks. */
export function deleteRevision(state: State, place: Place, name: string, dryRun = false): void {
  const revision = getRevision(state, place, name);
  const service = state.services.get(keyOf(place, serviceOf(revision)));
  if (service?.status.latestCreatedRevisionName === name) {
    throw new ApiError("FAILED_PRECONDITION", `Revision '${name}' is the latest revision of its service and cannot be deleted.`);
  }
  if (service?.status.traffic.some(({ revisionName }) => revisionName === name)) {
    throw new ApiError("FAILED_PRECONDITION", `Revision '${name}' is actively serving traffic and cannot be deleted.`);
  }
  if (!dryRun) state.revisions.delete(keyOf(place, name));
}

/** Whether the revision is known to be ready, or not to be. */
export function isReadinessKnown({ status }: KnativeRevision): boolean {
  return readReadiness(status.conditions) !== undefined;
}
