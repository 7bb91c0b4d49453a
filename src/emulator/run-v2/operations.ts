import { randomUUID } from "node:crypto";
import type { RunOperation } from "../state/resources.ts";
import type { KnativeService } from "../run/knative.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";
import { keyOf, type Place } from "../run/names.ts";
import { resourceNotFound } from "../run/violations.ts";
import type { Message } from "./annotation-fields.ts";
import { toOperationError } from "./convert-conditions.ts";
import { findCondition } from "../run/conditions.ts";
import { toServiceMessage } from "./convert-service.ts";

const TYPE_URLS = {
  Service: "type.googleapis.com/google.cloud.run.v2.Service",
  Revision: "type.googleapis.com/google.cloud.run.v2.Revision",
};
const MAX_OPERATIONS = 100;

/** Stores the operation of a written service, which is done when the service is reconciled. */
export function startOperation(runtime: Pick<Runtime, "state" | "now">, place: Place, { metadata }: KnativeService): RunOperation {
  return storeOperation(runtime, place, { service: metadata.name, uid: metadata.uid, generation: metadata.generation });
}

export function recordDeletion(
  runtime: Pick<Runtime, "state" | "now">,
  place: Place,
  kind: keyof typeof TYPE_URLS,
  message: Message,
): RunOperation {
  return storeOperation(runtime, place, {
    deleted: { "@type": TYPE_URLS[kind], ...message, deleteTime: new Date(runtime.now()).toISOString() },
  });
}

/** The operation of a validation: done, and not stored. */
export function validationOperation(place: Place, kind: keyof typeof TYPE_URLS, message: Message): Message {
  const resource = { "@type": TYPE_URLS[kind], ...message };
  return { name: operationName(place, randomUUID()), metadata: resource, done: true, response: resource };
}

/** Finds an operation. Throws ApiError NOT_FOUND. */
export function getOperation(state: State, place: Place, id: string): RunOperation {
  const operation = state.operations.get(keyOf(place, id));
  if (!operation) throw resourceNotFound("OPERATION", place, id);
  return operation;
}

// Unlike Cloud Run: an operation shows its service's current state, and only the newest 100 operations of a region are stored.
/** An operation's message: https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.operations */
export function toOperationMessage(state: State, place: Place, operation: RunOperation): Message {
  const name = operationName(place, operation.id);
  const { deleted, service = "", uid, generation = 0 } = operation;
  if (deleted) return { name, metadata: deleted, done: true, response: deleted };
  const current = state.services.get(keyOf(place, service));
  if (!current || current.metadata.uid !== uid) {
    const error = { code: 10, message: `Service '${service}' was deleted before the operation was done.` };
    return { name, metadata: { "@type": TYPE_URLS.Service }, done: true, error };
  }
  const metadata = { "@type": TYPE_URLS.Service, ...toServiceMessage(place, current) };
  if (current.status.observedGeneration < generation) return { name, metadata };
  const ready = findCondition(current.status.conditions, "Ready");
  if (ready?.status === "False") return { name, metadata, done: true, error: toOperationError(ready) };
  return { name, metadata, done: true, response: metadata };
}

export function listOperations(state: State, place: Place): RunOperation[] {
  return state.operations.list(keyOf(place, "")).sort((a, b) => b.number - a.number);
}

function storeOperation(
  { state, now }: Pick<Runtime, "state" | "now">,
  place: Place,
  details: Omit<RunOperation, "id" | "number">,
): RunOperation {
  return state.transaction(() => {
    const existing = listOperations(state, place);
    const operation = { id: randomUUID(), number: Math.max(now(), (existing[0]?.number ?? 0) + 1), ...details };
    for (const { id } of existing.slice(MAX_OPERATIONS - 1)) state.operations.delete(keyOf(place, id));
    state.operations.set(keyOf(place, operation.id), operation);
    return operation;
  });
}

function operationName({ project, region }: Place, id: string): string {
  return `projects/${project.projectId}/locations/${region}/operations/${id}`;
}
