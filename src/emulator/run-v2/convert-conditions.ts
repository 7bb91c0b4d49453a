import type { Condition } from "../run/knative.ts";
import type { Message } from "./annotation-fields.ts";

const CONDITION_STATES = { True: "CONDITION_SUCCEEDED", False: "CONDITION_FAILED", Unknown: "CONDITION_RECONCILING" } as const;

/** Names in v2 of the reasons of v1's conditions: for its field for revisions, and for its field for everything else. */
const REVISION_REASONS: Readonly<Record<string, string>> = {
  HealthCheckContainerError: "HEALTH_CHECK_CONTAINER_ERROR",
  Retired: "RETIRED",
};
const COMMON_REASONS: Readonly<Record<string, string>> = {
  ContainerMissing: "CONTAINER_MISSING",
  ContainerPermissionDenied: "CONTAINER_PERMISSION_DENIED",
  ProgressDeadlineExceeded: "PROGRESS_DEADLINE_EXCEEDED",
  RevisionFailed: "REVISION_FAILED",
  SecretsAccessCheckFailed: "SECRETS_ACCESS_CHECK_FAILED",
};

export function toConditionMessage({ type, status, reason, message, severity, lastTransitionTime }: Condition): Message {
  return {
    type,
    state: CONDITION_STATES[status],
    ...(message && { message }),
    lastTransitionTime,
    ...(severity && { severity: severity.toUpperCase() }),
    ...(reason && toReasonField(reason)),
  };
}

function toReasonField(reason: string): Message {
  const revisionReason = REVISION_REASONS[reason];
  return revisionReason === undefined ? { reason: COMMON_REASONS[reason] ?? "UNKNOWN" } : { revisionReason };
}

// https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
const STATUS_CODES: Readonly<Record<string, number>> = { HealthCheckContainerError: 9, ContainerMissing: 5 };
const INTERNAL_CODE = 13;

/** The error of a failed operation, from the condition Ready of its resource. */
export function toOperationError({ reason = "", message = "" }: Pick<Condition, "reason" | "message">): Message {
  return { code: STATUS_CODES[reason] ?? INTERNAL_CODE, message };
}
