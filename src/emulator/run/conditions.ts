import type { Condition } from "./knative.ts";

export type Outcome = Omit<Condition, "lastTransitionTime">;

/** Conditions with the times of their last transitions; `now` is in milliseconds. */
export function updateConditions(previousConditions: readonly Condition[], outcomes: readonly Outcome[], now: number): Condition[] {
  return outcomes.map((outcome) => {
    const previous = findCondition(previousConditions, outcome.type);
    return {
      ...outcome,
      lastTransitionTime: previous?.status === outcome.status ? previous.lastTransitionTime : new Date(now).toISOString(),
    };
  });
}

export function findCondition(conditions: readonly Condition[], type: string): Condition | undefined {
  return conditions.find((condition) => condition.type === type);
}

/** Whether the condition Ready is true; undefined while it is unknown. */
export function readReadiness(conditions: readonly Condition[]): boolean | undefined {
  const status = findCondition(conditions, "Ready")?.status;
  return status === "True" ? true : status === "False" ? false : undefined;
}
