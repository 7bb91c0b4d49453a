import type { Condition } from "./knative.ts";

export type Outcome = Omit<Condition, "lastTransitionTime">;

/** Conditions with the time at which each came to its status; `now` is in milliseconds. */
export function updateConditions(before: readonly Condition[], outcomes: readonly Outcome[], now: number): Condition[] {
  return outcomes.map((outcome) => {
    const known = before.find(({ type }) => type === outcome.type);
    return { ...outcome, lastTransitionTime: known?.status === outcome.status ? known.lastTransitionTime : new Date(now).toISOString() };
  });
}

/** Whether something is ready; undefined while that is not known yet. */
export function readiness(conditions: readonly Condition[]): boolean | undefined {
  const status = conditions.find(({ type }) => type === "Ready")?.status;
  return status === "True" ? true : status === "False" ? false : undefined;
}
