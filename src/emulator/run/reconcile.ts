import type { KnativeRevision, KnativeService, TrafficTarget } from "./knative.ts";
import type { State } from "../state/state.ts";
import { findCondition, readReadiness, updateConditions, type Outcome } from "./conditions.ts";
import { hashUrl, keyOf, type Place } from "./names.ts";
import { isReadinessKnown, revisionsOf } from "./revisions.ts";

interface Problem {
  readonly reason: string;
  readonly message: string;
}

/**
 * Updates a service's status to match its spec once the readiness of its latest revision is known. Returns the keys of revisions without
 * traffic; undefined if nothing was updated.
 */
export function reconcileService(state: State, place: Place, name: string, now: number): string[] | undefined {
  return state.transaction(() => {
    const service = state.services.get(keyOf(place, name));
    const revisions = revisionsOf(state, place, name);
    const latest = revisions.find(({ metadata }) => metadata.name === service?.status.latestCreatedRevisionName);
    if (!service || !latest || !isReadinessKnown(latest)) return undefined;

    const status = reconciledStatus(place, service, revisions, latest, now);
    state.services.set(keyOf(place, name), { ...service, status });
    const routed = new Set(status.traffic.map(({ revisionName }) => revisionName));
    for (const revision of revisions) setActive(state, place, revision, routed.has(revision.metadata.name), now);
    return revisions
      .filter((revision) => isReadinessKnown(revision) && !routed.has(revision.metadata.name))
      .map(({ metadata }) => keyOf(place, metadata.name));
  });
}

function reconciledStatus(
  place: Place,
  { metadata, spec, status }: KnativeService,
  revisions: readonly KnativeRevision[],
  latest: KnativeRevision,
  now: number,
): KnativeService["status"] {
  const latestReady = revisions.findLast(isReady)?.metadata.name;
  const revisionProblem = isReady(latest) ? undefined : notReadyProblem(latest);
  const targets = spec.traffic.map((target) => ({ ...target, revisionName: target.revisionName ?? latestReady }));
  const routeProblem = targets
    .map((target) => routeProblemOf(target.revisionName ?? latest.metadata.name, revisions))
    .find((problem) => problem !== undefined);
  const traffic = routeProblem ? status.traffic : targets.map((target) => withTagUrl(target, place, metadata.name));
  return {
    ...status,
    observedGeneration: metadata.generation,
    conditions: updateConditions(
      status.conditions,
      [
        outcome("Ready", revisionProblem ?? routeProblem),
        outcome("ConfigurationsReady", revisionProblem),
        outcome("RoutesReady", routeProblem),
      ],
      now,
    ),
    ...(latestReady !== undefined && { latestReadyRevisionName: latestReady }),
    traffic,
  };
}

function isReady({ status }: KnativeRevision): boolean {
  return readReadiness(status.conditions) === true;
}

function outcome(type: string, problem: Problem | undefined): Outcome {
  return problem ? { type, status: "False", ...problem } : { type, status: "True" };
}

function notReadyProblem({ metadata, status }: KnativeRevision): Problem {
  const ready = findCondition(status.conditions, "Ready");
  const message = `Revision '${metadata.name}' is not ready and cannot serve traffic. ${ready?.message ?? ""}`.trim();
  return { reason: ready?.reason ?? "RevisionNotReady", message };
}

function routeProblemOf(name: string, revisions: readonly KnativeRevision[]): Problem | undefined {
  const revision = revisions.find(({ metadata }) => metadata.name === name);
  if (revision) return isReady(revision) ? undefined : notReadyProblem(revision);
  const message = `Revision '${name}' does not exist or is deleted. Update all traffic to route to currently available revisions.`;
  return { reason: "RevisionMissing", message };
}

function withTagUrl(target: TrafficTarget, place: Place, service: string): TrafficTarget {
  return target.tag === undefined ? target : { ...target, url: hashUrl(place, service, target.tag) };
}

function setActive(state: State, place: Place, revision: KnativeRevision, isActive: boolean, now: number): void {
  const { conditions } = revision.status;
  const activeCondition: Outcome = isActive
    ? { type: "Active", status: "True", severity: "Info" }
    : { type: "Active", status: "False", severity: "Info", reason: "Retired", message: "Revision retired." };
  if (!isReady(revision) || findCondition(conditions, "Active")?.status === activeCondition.status) return;
  const otherConditions: readonly Outcome[] = conditions.filter(({ type }) => type !== "Active");
  const status = { ...revision.status, conditions: updateConditions(conditions, [...otherConditions, activeCondition], now) };
  state.revisions.set(keyOf(place, revision.metadata.name), { ...revision, status });
}
