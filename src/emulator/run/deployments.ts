import { parseImageReference } from "../artifact-registry/image-reference.ts";
import { findImage } from "../artifact-registry/images.ts";
import type { KnativeRevision } from "./knative.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";
import { updateConditions, type Outcome } from "./conditions.ts";
import { StartupError } from "./instances/instance-error.ts";
import type { Instances } from "./instances/instances.ts";
import { keyOf, type Place } from "./names.ts";
import { isReadinessKnown, revisionsOf, serviceOf } from "./revisions.ts";
import { reconcileService } from "./reconcile.ts";

/** Rolls out services in the background. */
export interface Deployments {
  /** Rolls out a service that was written: starts its new revision, then moves its traffic. */
  deploy(place: Place, service: string): void;
  /** Resolves when the rollout of a service's latest revision has ended. */
  waitForRollout(place: Place, service: string): Promise<void>;
  /** Stops the rollouts and instances of deleted revisions. */
  cancel(revisionKeys: readonly string[]): void;
  /** Continues rollouts that a crash or a stop interrupted. */
  resume(): void;
  /** Aborts all rollouts; `resume` continues them. */
  close(): Promise<void>;
}

type DeploymentsOptions = Pick<Runtime, "state" | "now" | "log"> & { readonly instances: Instances };

export function createDeployments({ state, now, log, instances }: DeploymentsOptions): Deployments {
  const rollouts = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();
  let isClosed = false;
  const stopInstances = (keys: readonly string[]) => {
    for (const key of keys) instances.stopRevision(key).catch((error: unknown) => log(`Instances of ${key} didn't stop: ${String(error)}`));
  };
  const startMinInstances = (place: Place, service: string) => {
    for (const { revisionName } of state.services.get(keyOf(place, service))?.status.traffic ?? [])
      if (revisionName !== undefined) instances.startMinInstances(keyOf(place, revisionName));
  };
  const reconcile = (place: Place, service: string) => {
    stopInstances(reconcileService(state, place, service, now()) ?? []);
    startMinInstances(place, service);
  };

  const startRevision = async (key: string, signal: AbortSignal): Promise<void> => {
    const revision = state.revisions.get(key) as KnativeRevision;
    const reference = revision.spec.containers[0]?.image ?? "";
    const image = findImage(state, reference);
    if (!image) return storeConditions(state, key, imageMissingConditions(reference), now());
    const imageDigest = `${parseImageReference(reference)?.name}@${image.digest}`;
    state.revisions.set(key, { ...revision, status: { ...revision.status, imageDigest } });
    try {
      // The instance that shows that the revision is healthy stays for the first request.
      const lease = await instances.acquire(key, signal);
      lease.release();
      signal.throwIfAborted();
      storeConditions(state, key, HEALTHY_CONDITIONS, now());
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof StartupError)) throw error;
      storeConditions(state, key, unhealthyConditions(error), now());
    }
  };

  const rollOut = (place: Place, revision: KnativeRevision): void => {
    const key = keyOf(place, revision.metadata.name);
    if (isClosed || rollouts.has(key)) return;
    const abort = new AbortController();
    const done = startRevision(key, abort.signal)
      .then(() => reconcile(place, serviceOf(revision)))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) log(`Deploying ${key} failed: ${error instanceof Error ? error.stack : String(error)}`);
      })
      .finally(() => {
        if (rollouts.get(key)?.abort === abort) rollouts.delete(key);
      });
    rollouts.set(key, { abort, done });
  };

  const deploy = (place: Place, name: string): void => {
    const latest = state.services.get(keyOf(place, name))?.status.latestCreatedRevisionName ?? "";
    const revision = state.revisions.get(keyOf(place, latest));
    if (revision && !isReadinessKnown(revision)) rollOut(place, revision);
    else reconcile(place, name);
  };

  return {
    deploy,
    async waitForRollout(place, name) {
      const latest = state.services.get(keyOf(place, name))?.status.latestCreatedRevisionName ?? "";
      await rollouts.get(keyOf(place, latest))?.done;
    },
    cancel(keys) {
      for (const key of keys) {
        rollouts.get(key)?.abort.abort();
        // A service with the same name, and revisions with the same names, can be created right away.
        rollouts.delete(key);
      }
      stopInstances(keys);
    },
    resume() {
      for (const project of state.projects.list()) {
        for (const service of state.services.list(`${project.projectId}/`)) {
          const place = { project, region: service.metadata.labels["cloud.googleapis.com/location"] ?? "" };
          for (const revision of revisionsOf(state, place, service.metadata.name))
            if (!isReadinessKnown(revision)) rollOut(place, revision);
          if (service.status.observedGeneration < service.metadata.generation) deploy(place, service.metadata.name);
          else startMinInstances(place, service.metadata.name);
        }
      }
    },
    async close() {
      isClosed = true;
      for (const { abort } of rollouts.values()) abort.abort();
      await Promise.all([...rollouts.values()].map(({ done }) => done));
    },
  };
}

const TRUE = { status: "True" } as const;
const HEALTHY_CONDITIONS = startConditions(TRUE, TRUE, TRUE).toSpliced(1, 0, { type: "Active", severity: "Info", ...TRUE });

function imageMissingConditions(image: string): Outcome[] {
  const problem = { status: "False", reason: "ContainerMissing", message: `Image '${image}' not found.` } as const;
  return startConditions(problem, { status: "Unknown" }, problem);
}

function unhealthyConditions({ reason, explanation }: StartupError): Outcome[] {
  const problem = { status: "False", reason, message: explanation } as const;
  return startConditions(problem, problem, TRUE);
}

type Result = Omit<Outcome, "type">;

function startConditions(ready: Result, containerHealthy: Result, containerReady: Result): Outcome[] {
  const results = { Ready: ready, ContainerHealthy: containerHealthy, ContainerReady: containerReady, ResourcesAvailable: TRUE };
  return Object.entries(results).map(([type, result]) => ({ type, ...result }));
}

/** Stores a revision's conditions, unless it was deleted meanwhile. */
function storeConditions(state: State, key: string, outcomes: readonly Outcome[], now: number): void {
  const revision = state.revisions.get(key);
  if (!revision) return;
  const conditions = updateConditions(revision.status.conditions, outcomes, now);
  state.revisions.set(key, { ...revision, status: { ...revision.status, conditions } });
}
