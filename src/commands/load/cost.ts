import type { LoadPlan } from "./options.ts";
import { formatNumber } from "./print-report.ts";

/** The approximate size of a run. */
export interface CostEstimate {
  readonly requests: number;
  /** Undefined if the latency isn't known. */
  readonly instanceSeconds: { readonly min: number; readonly max: number } | undefined;
}

/** An instance's default: https://cloud.google.com/run/docs/about-concurrency */
const DEFAULT_CONCURRENCY = 80;

/** Estimates a run from the latency of one response; undefined if none was measured. */
export function estimateCost(
  { maxRequests, maxDurationMs, concurrency, rate, requestTimeoutMs }: LoadPlan,
  latencyMs: number | undefined,
): CostEstimate {
  const seconds = maxDurationMs / 1000;
  // Without a rate and a latency, each connection gets at most one response per millisecond.
  const perSecond = rate ?? (concurrency * 1000) / Math.max(latencyMs ?? 1, 1);
  const requests = Math.min(maxRequests, Number.isFinite(seconds) ? Math.ceil(perSecond * seconds) : Infinity);
  if (latencyMs === undefined) return { requests, instanceSeconds: undefined };
  const busySeconds = (requests * Math.min(latencyMs, requestTimeoutMs)) / 1000;
  return { requests, instanceSeconds: { min: Math.ceil(busySeconds / DEFAULT_CONCURRENCY), max: Math.ceil(busySeconds) } };
}

/** The consequence of a run that costs money. */
export function describeCost({ requests, instanceSeconds }: CostEstimate, host: string): string {
  const time = instanceSeconds && ` and ${formatRange(instanceSeconds)} seconds of instance time, depending on the service's concurrency`;
  return `This sends about ${formatNumber(requests)} requests to ${host}. Google Cloud bills them${time ?? ""}.`;
}

function formatRange({ min, max }: { readonly min: number; readonly max: number }): string {
  return min === max ? formatNumber(min) : `${formatNumber(min)}–${formatNumber(max)}`;
}
