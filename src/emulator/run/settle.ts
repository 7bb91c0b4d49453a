import type { KnativeRevision, KnativeService, TrafficTarget } from "./knative.ts";
import type { State } from "../state/state.ts";
import { readiness, updateConditions, type Outcome } from "./conditions.ts";
import { hashUrl, keyOf, type Place } from "./naming.ts";
import { isProven, revisionsOf } from "./revisions.ts";

interface Problem {
  readonly reason: string;
  readonly message: string;
}

/**
 * Brings a service's status up to its spec, as far as its latest revision has been proven; says nothing new before that.
 * Returns the keys of the revisions that take no traffic, and undefined where nothing was settled.
 */
export function settleService(state: State, place: Place, name: string, now: number): string[] | undefined {
  return state.transaction(() => {
    const service = state.services.get(keyOf(place, name));
    const revisions = revisionsOf(state, place, name);
    const latest = revisions.find(({ metadata }) => metadata.name === service?.status.latestCreatedRevisionName);
    if (!service || !latest || !isProven(latest)) return undefined;

    const status = settle(place, service, revisions, latest, now);
    state.services.set(keyOf(place, name), { ...service, status });
    const routed = new Set(status.traffic.map(({ revisionName }) => revisionName));
    for (const revision of revisions) markActive(state, place, revision, routed.has(revision.metadata.name), now);
    return revisions
      .filter((revision) => isProven(revision) && !routed.has(revision.metadata.name))
      .map(({ metadata }) => keyOf(place, metadata.name));
  });
}

function settle(
  place: Place,
  { metadata, spec, status }: KnativeService,
  revisions: readonly KnativeRevision[],
  latest: KnativeRevision,
  now: number,
): KnativeService["status"] {
  const newest = revisions.findLast(isReady)?.metadata.name;
  const revisionProblem = isReady(latest) ? undefined : explain(latest);
  const targets = spec.traffic.map((target) => ({ ...target, revisionName: target.revisionName ?? newest }));
  const routeProblem = targets
    .map((target) => findProblem(target.revisionName ?? latest.metadata.name, revisions))
    .find((problem) => problem !== undefined);
  const traffic = routeProblem ? status.traffic : targets.map((target) => showTarget(target, place, metadata.name));
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
    ...(newest !== undefined && { latestReadyRevisionName: newest }),
    traffic,
  };
}

function isReady({ status }: KnativeRevision): boolean {
  return readiness(status.conditions) === true;
}

function outcome(type: string, problem: Problem | undefined): Outcome {
  return problem ? { type, status: "False", ...problem } : { type, status: "True" };
}

function explain({ metadata, status }: KnativeRevision): Problem {
  const ready = status.conditions.find(({ type }) => type === "Ready");
  const message = `Revision '${metadata.name}' is not ready and cannot serve traffic. ${ready?.message ?? ""}`.trim();
  return { reason: ready?.reason ?? "RevisionNotReady", message };
}

function findProblem(name: string, revisions: readonly KnativeRevision[]): Problem | undefined {
  const revision = revisions.find(({ metadata }) => metadata.name === name);
  if (revision) return isReady(revision) ? undefined : explain(revision);
  const message = `Revision '${name}' does not exist or is deleted. Update all traffic to route to currently available revisions.`;
  return { reason: "RevisionMissing", message };
}

function showTarget(target: TrafficTarget, place: Place, service: string): TrafficTarget {
  return target.tag === undefined ? target : { ...target, url: hashUrl(place, service, target.tag) };
}

function markActive(state: State, place: Place, revision: KnativeRevision, active: boolean, now: number): void {
  const { conditions } = revision.status;
  const wanted: Outcome = active
    ? { type: "Active", status: "True", severity: "Info" }
    : { type: "Active", status: "False", severity: "Info", reason: "Retired", message: "Revision retired." };
  if (!isReady(revision) || conditions.find(({ type }) => type === "Active")?.status === wanted.status) return;
  const others: readonly Outcome[] = conditions.filter(({ type }) => type !== "Active");
  const status = { ...revision.status, conditions: updateConditions(conditions, [...others, wanted], now) };
  state.revisions.set(keyOf(place, revision.metadata.name), { ...revision, status });
}
