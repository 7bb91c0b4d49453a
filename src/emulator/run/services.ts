import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Principal } from "../iam/principal.ts";
import { ApiError } from "../server/errors.ts";
import { isAllowed } from "../iam/policy.ts";
import type { KnativeRevision, KnativeService } from "./knative.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";
import { updateConditions } from "./conditions.ts";
import { authorizeInvokerCheckChange } from "./invoker-check.ts";
import { defaultServiceAccount, hashLabel, hashUrl, keyOf, resourceName, urlsOf, type Place } from "./names.ts";
import { revisionsOf, createRevision } from "./revisions.ts";
import { fillTemplate, fillTraffic } from "./service-defaults.ts";
import { parseService, type ServiceRequest } from "./service-request.ts";
import { checkService } from "./service-rules.ts";
import { resourceNotFound, throwViolations } from "./violations.ts";

export interface ServiceWrite {
  readonly place: Place;
  readonly name?: string;
  readonly body: unknown;
  readonly principal: Principal;
  /** Check everything, but change nothing. */
  readonly dryRun: boolean;
  readonly forceNewRevision?: boolean;
}

/** Finds a service. Throws ApiError NOT_FOUND. */
export function getService(state: State, place: Place, name: string): KnativeService {
  const service = state.services.get(keyOf(place, name));
  if (!service) throw resourceNotFound("SERVICE", place, name);
  return service;
}

/** Stores a new service and its first revision, both not ready yet. */
export function createService(runtime: Pick<Runtime, "state" | "now">, write: ServiceWrite): KnativeService {
  return writeService(runtime, write, (state, { metadata }) => {
    if (state.services.get(keyOf(write.place, metadata.name)))
      throw new ApiError("ALREADY_EXISTS", `Resource '${metadata.name}' already exists.`);
    return undefined;
  });
}

/** Stores a service's new spec, and a new revision if the template changed. */
export function replaceService(runtime: Pick<Runtime, "state" | "now">, write: ServiceWrite & { readonly name: string }): KnativeService {
  return writeService(runtime, write, (state, { metadata: { name, resourceVersion } }) => {
    const current = getService(state, write.place, write.name);
    if (name !== write.name)
      throwViolations([{ field: "metadata.name", description: `Expected '${write.name}', as in the path, but obtained '${name}'.` }]);
    const version = current.metadata.resourceVersion;
    if (resourceVersion === undefined || resourceVersion === version) return current;
    throw new ApiError(
      "ABORTED",
      `Conflict for resource '${name}': version '${resourceVersion}' was specified but current version is '${version}'.`,
    );
  });
}

/** Deletes a service with its revisions and its policy; returns the revisions' keys. */
export function deleteService(state: State, place: Place, name: string): string[] {
  getService(state, place, name);
  const keys = revisionsOf(state, place, name).map((revision) => keyOf(place, revision.metadata.name));
  state.transaction(() => {
    state.services.delete(keyOf(place, name));
    state.policies.delete(resourceName(place, name));
    for (const key of keys) state.revisions.delete(key);
  });
  return keys;
}

type FindCurrent = (state: State, request: ServiceRequest) => KnativeService | undefined;

function writeService({ state, now }: Pick<Runtime, "state" | "now">, write: ServiceWrite, findCurrent: FindCurrent): KnativeService {
  const { place, dryRun } = write;
  const request = parseService(write.body);
  const { name, namespace } = request.metadata;
  throwViolations([...checkNamespace(namespace, place), ...checkService(request, hashLabel(place, name))]);
  const current = findCurrent(state, request);
  const draft = draftService(request, current, write, now());
  authorizeServiceAccount(state, draft, write);
  authorizeInvokerCheckChange(state, draft, current, write);

  const needsRevision = write.forceNewRevision || !isDeepStrictEqual(draft.spec.template, current?.spec.template);
  const revision = needsRevision ? createRevision(state, place, draft, now()) : undefined;
  const service = revision ? { ...draft, status: { ...draft.status, latestCreatedRevisionName: revision.metadata.name } } : draft;
  if (!dryRun) store(state, place, service, revision);
  return service;
}

function store(state: State, place: Place, service: KnativeService, revision: KnativeRevision | undefined): void {
  state.transaction(() => {
    if (revision) state.revisions.set(keyOf(place, revision.metadata.name), revision);
    state.services.set(keyOf(place, service.metadata.name), service);
  });
}

function draftService(
  { metadata, spec }: ServiceRequest,
  current: KnativeService | undefined,
  { place, principal }: ServiceWrite,
  now: number,
): KnativeService {
  const { projectNumber } = place.project;
  const { name } = metadata;
  const { observedGeneration = 0, conditions = [], ...status } = current?.status ?? { traffic: [] };
  const url = hashUrl(place, name);
  const ingress = metadata.annotations["run.googleapis.com/ingress"] ?? "all";
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: {
      name,
      namespace: projectNumber,
      selfLink: `/apis/serving.knative.dev/v1/namespaces/${projectNumber}/services/${name}`,
      uid: current?.metadata.uid ?? randomUUID(),
      // Microseconds, like Google's versions, and always increasing.
      resourceVersion: String(Math.max(now * 1000, Number(current?.metadata.resourceVersion ?? 0) + 1)),
      generation: (current?.metadata.generation ?? 0) + 1,
      creationTimestamp: current?.metadata.creationTimestamp ?? new Date(now).toISOString(),
      labels: { ...metadata.labels, "cloud.googleapis.com/location": place.region },
      annotations: {
        ...metadata.annotations,
        "run.googleapis.com/ingress": ingress,
        "run.googleapis.com/ingress-status": ingress,
        "run.googleapis.com/urls": JSON.stringify(urlsOf(place, name)),
        "serving.knative.dev/creator": current?.metadata.annotations["serving.knative.dev/creator"] ?? principal.email,
        "serving.knative.dev/lastModifier": principal.email,
      },
    },
    spec: { template: fillTemplate(spec.template, defaultServiceAccount(place.project)), traffic: fillTraffic(spec.traffic) },
    status: {
      ...status,
      observedGeneration,
      conditions: updateConditions(
        conditions,
        ["Ready", "ConfigurationsReady", "RoutesReady"].map((type) => ({ type, status: "Unknown" })),
        now,
      ),
      url,
      address: { url },
    },
  };
}

function checkNamespace(namespace: string | undefined, { project }: Place) {
  if (namespace === undefined || namespace === project.projectId || namespace === project.projectNumber) return [];
  return [{ field: "metadata.namespace", description: `Expected '${project.projectId}', as in the path, but obtained '${namespace}'.` }];
}

/** The deployer must be allowed to act as the service's account: https://cloud.google.com/run/docs/configuring/services/service-identity */
function authorizeServiceAccount(state: State, { spec }: KnativeService, { place, principal }: ServiceWrite): void {
  const email = spec.template.spec.serviceAccountName ?? "";
  const account = state.serviceAccounts.get(email);
  const projectId = account?.projectId ?? (email === defaultServiceAccount(place.project) ? place.project.projectId : undefined);
  const resource = `projects/${projectId}/serviceAccounts/${email}`;
  if (projectId !== undefined && isAllowed(state, principal, "iam.serviceAccounts.actAs", resource)) return;
  throw new ApiError(
    "PERMISSION_DENIED",
    `Permission 'iam.serviceaccounts.actAs' denied on service account ${email} (or it may not exist).`,
  );
}
