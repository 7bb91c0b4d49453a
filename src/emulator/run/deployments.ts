import { parseImageReference } from "../artifact-registry/image-reference.ts";
import { findImage } from "../artifact-registry/images.ts";
import type { KnativeRevision } from "./knative.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";
import { updateConditions, type Outcome } from "./conditions.ts";
import { StartupError } from "./instances/instance-error.ts";
import type { Instances } from "./instances/instances.ts";
import { keyOf, type Place } from "./naming.ts";
import { isProven, revisionsOf, serviceOf } from "./revisions.ts";
import { settleService } from "./settle.ts";

/** Brings about what services ask for, in the background. */
export interface Deployments {
  /** Takes up a service that was written: proves its new revision, then moves its traffic. */
  deploy(place: Place, service: string): void;
  /** Resolves when nothing is under way for a service's latest revision. */
  settled(place: Place, service: string): Promise<void>;
  /** Lets go of revisions that were deleted. */
  abandon(revisionKeys: readonly string[]): void;
  /** Takes up what a crash or a stop cut off. */
  resume(): void;
  /** Leaves what is under way to `resume`. */
  close(): Promise<void>;
}

interface DeploymentsOptions extends Pick<Runtime, "state" | "now" | "log"> {
  readonly instances: Instances;
}

export function createDeployments({ state, now, log, instances }: DeploymentsOptions): Deployments {
  const underWay = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();
  let closed = false;
  const retire = (keys: readonly string[]) => {
    for (const key of keys)
      instances.stopRevision(key).catch((error: unknown) => log(`Instances of ${key} did not stop: ${String(error)}`));
  };
  const keepLeast = (place: Place, service: string) => {
    for (const { revisionName } of state.services.get(keyOf(place, service))?.status.traffic ?? [])
      if (revisionName !== undefined) instances.keepLeast(keyOf(place, revisionName));
  };
  const settle = (place: Place, service: string) => {
    retire(settleService(state, place, service, now()) ?? []);
    keepLeast(place, service);
  };

  const prove = async (key: string, signal: AbortSignal): Promise<void> => {
    const revision = state.revisions.get(key) as KnativeRevision;
    const image = revision.spec.containers[0]?.image ?? "";
    const found = findImage(state, image);
    if (!found) return conclude(state, key, imageMissing(image), now());
    const imageDigest = `${parseImageReference(image)?.name}@${found.digest}`;
    state.revisions.set(key, { ...revision, status: { ...revision.status, imageDigest } });
    try {
      // The instance that proves the revision is there for the first request too.
      const lease = await instances.acquire(key, signal);
      lease.release();
      signal.throwIfAborted();
      conclude(state, key, HEALTHY, now());
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof StartupError)) throw error;
      conclude(state, key, unhealthy(error), now());
    }
  };

  const take = (place: Place, revision: KnativeRevision): void => {
    const key = keyOf(place, revision.metadata.name);
    if (closed || underWay.has(key)) return;
    const abort = new AbortController();
    const done = prove(key, abort.signal)
      .then(() => settle(place, serviceOf(revision)))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) log(`Deploying ${key} failed: ${error instanceof Error ? error.stack : String(error)}`);
      })
      .finally(() => {
        if (underWay.get(key)?.abort === abort) underWay.delete(key);
      });
    underWay.set(key, { abort, done });
  };

  const deploy = (place: Place, name: string): void => {
    const latest = state.services.get(keyOf(place, name))?.status.latestCreatedRevisionName ?? "";
    const revision = state.revisions.get(keyOf(place, latest));
    if (revision && !isProven(revision)) take(place, revision);
    else settle(place, name);
  };

  return {
    deploy,
    async settled(place, name) {
      const latest = state.services.get(keyOf(place, name))?.status.latestCreatedRevisionName ?? "";
      await underWay.get(keyOf(place, latest))?.done;
    },
    abandon(keys) {
      for (const key of keys) {
        underWay.get(key)?.abort.abort();
        // A service of the same name may be made at once, and its revisions may be named as these were.
        underWay.delete(key);
      }
      retire(keys);
    },
    resume() {
      for (const project of state.projects.list()) {
        for (const service of state.services.list(`${project.projectId}/`)) {
          const place = { project, region: service.metadata.labels["cloud.googleapis.com/location"] ?? "" };
          for (const revision of revisionsOf(state, place, service.metadata.name)) if (!isProven(revision)) take(place, revision);
          if (service.status.observedGeneration < service.metadata.generation) deploy(place, service.metadata.name);
          else keepLeast(place, service.metadata.name);
        }
      }
    },
    async close() {
      closed = true;
      for (const { abort } of underWay.values()) abort.abort();
      await Promise.all([...underWay.values()].map(({ done }) => done));
    },
  };
}

const HEALTHY: readonly Outcome[] = [
  { type: "Ready", status: "True" },
  { type: "Active", status: "True", severity: "Info" },
  { type: "ContainerHealthy", status: "True" },
  { type: "ContainerReady", status: "True" },
  { type: "ResourcesAvailable", status: "True" },
];

function imageMissing(image: string): Outcome[] {
  const problem = { status: "False", reason: "ContainerMissing", message: `Image '${image}' not found.` } as const;
  return [
    { type: "Ready", ...problem },
    { type: "ContainerHealthy", status: "Unknown" },
    { type: "ContainerReady", ...problem },
    { type: "ResourcesAvailable", status: "True" },
  ];
}

function unhealthy({ reason, explanation }: StartupError): Outcome[] {
  const problem = { status: "False", reason, message: explanation } as const;
  return [
    { type: "Ready", ...problem },
    { type: "ContainerHealthy", ...problem },
    { type: "ContainerReady", status: "True" },
    { type: "ResourcesAvailable", status: "True" },
  ];
}

/** Writes down how a revision turned out; one that was deleted meanwhile stays deleted. */
function conclude(state: State, key: string, outcomes: readonly Outcome[], now: number): void {
  const revision = state.revisions.get(key);
  if (!revision) return;
  const conditions = updateConditions(revision.status.conditions, outcomes, now);
  state.revisions.set(key, { ...revision, status: { ...revision.status, conditions } });
}
