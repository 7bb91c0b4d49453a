import type { Condition } from "../run/knative.ts";
import type { Message } from "./annotation-fields.ts";

const STATES = { True: "CONDITION_SUCCEEDED", False: "CONDITION_FAILED", Unknown: "CONDITION_RECONCILING" } as const;

/** The reasons of v1's conditions that v2 has names for, in its field for reasons of revisions and in the one for all others. */
const REVISION_REASONS: Readonly<Record<string, string>> = {
  HealthCheckContainerError: "HEALTH_CHECK_CONTAINER_ERROR",
  Retired: "RETIRED",
};
const REASONS: Readonly<Record<string, string>> = {
  ContainerMissing: "CONTAINER_MISSING",
  ContainerPermissionDenied: "CONTAINER_PERMISSION_DENIED",
  ProgressDeadlineExceeded: "PROGRESS_DEADLINE_EXCEEDED",
  RevisionFailed: "REVISION_FAILED",
  SecretsAccessCheckFailed: "SECRETS_ACCESS_CHECK_FAILED",
};

/** A condition of v1 as v2 shows it. */
export function showCondition({ type, status, reason, message, severity, lastTransitionTime }: Condition): Message {
  return {
    type,
    state: STATES[status],
    ...(message && { message }),
    lastTransitionTime,
    ...(severity && { severity: severity.toUpperCase() }),
    ...(reason && showReason(reason)),
  };
}

function showReason(reason: string): Message {
  const revisionReason = REVISION_REASONS[reason];
  return revisionReason === undefined ? { reason: REASONS[reason] ?? "UNKNOWN" } : { revisionReason };
}

// https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
const CODES: Readonly<Record<string, number>> = { HealthCheckContainerError: 9, ContainerMissing: 5 };
const INTERNAL = 13;

/** Why an operation failed, by the condition Ready of what it was about. */
export function showFailure({ reason = "", message = "" }: Pick<Condition, "reason" | "message">): Message {
  return { code: CODES[reason] ?? INTERNAL, message };
}
