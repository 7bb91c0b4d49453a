import type { State } from "../../state/state.ts";
import { serviceOf } from "../revisions.ts";

// Unlike Cloud Run: a revision has at most 10 instances, as many as one machine can run.
const MAX_INSTANCES = 10;

export interface Scaling {
  readonly minInstances: number;
  readonly maxInstances: number;
}

/**
 * Reads the scaling of a revision's annotations, and of its service's for all revisions with traffic.
 * https://cloud.google.com/run/docs/configuring/min-instances and https://cloud.google.com/run/docs/configuring/services/manual-scaling
 */
export function readScaling(state: State, revisionKey: string): Scaling {
  const revision = state.revisions.get(revisionKey);
  if (!revision) return { minInstances: 0, maxInstances: MAX_INSTANCES };
  const service = state.services.get(`${revisionKey.slice(0, revisionKey.lastIndexOf("/"))}/${serviceOf(revision)}`);
  const targets = service?.status.traffic.filter(({ revisionName }) => revisionName === revision.metadata.name) ?? [];
  const share = targets.reduce((sum, { percent = 0 }) => sum + percent, 0) / 100;
  const { annotations: revisionAnnotations } = revision.metadata;
  const { "run.googleapis.com/scalingMode": mode, ...serviceAnnotations } = service?.metadata.annotations ?? {};
  const shareOf = (count: string | undefined) => Math.ceil(Number(count ?? 0) * share);

  if (mode === "manual") {
    const count = limitInstances(shareOf(serviceAnnotations["run.googleapis.com/manualInstanceCount"]));
    return { minInstances: count, maxInstances: Math.max(count, 1) };
  }
  const maxInstances = limitInstances(Number(revisionAnnotations["autoscaling.knative.dev/maxScale"]) || MAX_INSTANCES);
  const revisionMin = targets.length > 0 ? Number(revisionAnnotations["autoscaling.knative.dev/minScale"] ?? 0) : 0;
  return {
    minInstances: Math.min(Math.max(revisionMin, shareOf(serviceAnnotations["run.googleapis.com/minScale"])), maxInstances),
    maxInstances,
  };
}

function limitInstances(count: number): number {
  return Math.min(count, MAX_INSTANCES);
}
