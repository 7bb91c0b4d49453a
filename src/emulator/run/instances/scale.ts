import type { State } from "../../state/state.ts";
import { serviceOf } from "../revisions.ts";

// Unlike Cloud Run: a revision has no more than 10 instances, which is what one machine bears.
const MOST_INSTANCES = 10;

/** How many instances a revision keeps, and how many it may have. */
export interface Scale {
  readonly least: number;
  readonly most: number;
}

/**
 * The scale that a revision's annotations ask for, and its service's for all revisions that take traffic.
 * https://cloud.google.com/run/docs/configuring/min-instances and https://cloud.google.com/run/docs/configuring/services/manual-scaling
 */
export function scaleOf(state: State, revisionKey: string): Scale {
  const revision = state.revisions.get(revisionKey);
  if (!revision) return { least: 0, most: MOST_INSTANCES };
  const service = state.services.get(`${revisionKey.slice(0, revisionKey.lastIndexOf("/"))}/${serviceOf(revision)}`);
  const targets = service?.status.traffic.filter(({ revisionName }) => revisionName === revision.metadata.name) ?? [];
  const share = targets.reduce((sum, { percent = 0 }) => sum + percent, 0) / 100;
  const { annotations: own } = revision.metadata;
  const { "run.googleapis.com/scalingMode": mode, ...all } = service?.metadata.annotations ?? {};
  const shareOf = (count: string | undefined) => Math.ceil(Number(count ?? 0) * share);

  if (mode === "manual") {
    const count = cap(shareOf(all["run.googleapis.com/manualInstanceCount"]));
    return { least: count, most: Math.max(count, 1) };
  }
  const most = cap(Number(own["autoscaling.knative.dev/maxScale"]) || MOST_INSTANCES);
  const kept = targets.length > 0 ? Number(own["autoscaling.knative.dev/minScale"] ?? 0) : 0;
  return { least: Math.min(Math.max(kept, shareOf(all["run.googleapis.com/minScale"])), most), most };
}

function cap(count: number): number {
  return Math.min(count, MOST_INSTANCES);
}
