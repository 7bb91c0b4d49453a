import { randomUUID } from "node:crypto";
import { ApiError } from "../server/errors.ts";
import type { RunOperation } from "../state/resources.ts";
import type { KnativeService } from "../run/knative.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";
import { keyOf, type Place } from "../run/naming.ts";
import type { Message } from "./annotation-fields.ts";
import { showFailure } from "./conditions.ts";
import { conditionOf, showService } from "./service.ts";

const TYPES = { Service: "type.googleapis.com/google.cloud.run.v2.Service", Revision: "type.googleapis.com/google.cloud.run.v2.Revision" };
/** How many operations of a place are remembered. */
const MOST = 100;

/** Remembers that a service has been written, which is done when what it asks for has come about. */
export function startOperation(runtime: Pick<Runtime, "state" | "now">, place: Place, { metadata }: KnativeService): RunOperation {
  return remember(runtime, place, { service: metadata.name, uid: metadata.uid, generation: metadata.generation });
}

/** Remembers that a service or a revision has been deleted. */
export function recordDeletion(
  runtime: Pick<Runtime, "state" | "now">,
  place: Place,
  kind: keyof typeof TYPES,
  message: Message,
): RunOperation {
  return remember(runtime, place, { deleted: { "@type": TYPES[kind], ...message, deleteTime: new Date(runtime.now()).toISOString() } });
}

/** What an operation that changes nothing answers: done, and not remembered. */
export function showValidation(place: Place, kind: keyof typeof TYPES, message: Message): Message {
  const resource = { "@type": TYPES[kind], ...message };
  return { name: operationName(place, randomUUID()), metadata: resource, done: true, response: resource };
}

/** The operation of an id; throws ApiError NOT_FOUND. */
export function getOperation(state: State, place: Place, id: string): RunOperation {
  const operation = state.operations.get(keyOf(place, id));
  if (operation) return operation;
  throw new ApiError(
    "NOT_FOUND",
    `Resource '${id}' of kind 'OPERATION' in region '${place.region}' in project '${place.project.projectId}' does not exist.`,
  );
}

// Unlike Cloud Run: an operation says of its service how things are now, and only the newest hundred of a region are kept.
/** An operation as the API shows it: https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.operations */
export function showOperation(state: State, place: Place, operation: RunOperation): Message {
  const name = operationName(place, operation.id);
  const { deleted, service = "", uid, generation = 0 } = operation;
  if (deleted) return { name, metadata: deleted, done: true, response: deleted };
  const current = state.services.get(keyOf(place, service));
  if (!current || current.metadata.uid !== uid) {
    const error = { code: 10, message: `Service '${service}' was deleted before the operation was done.` };
    return { name, metadata: { "@type": TYPES.Service }, done: true, error };
  }
  const metadata = { "@type": TYPES.Service, ...showService(place, current) };
  if (current.status.observedGeneration < generation) return { name, metadata };
  const ready = conditionOf(current.status.conditions, "Ready");
  if (ready?.status === "False") return { name, metadata, done: true, error: showFailure(ready) };
  return { name, metadata, done: true, response: metadata };
}

/** The operations of a place, the newest first. */
export function listOperations(state: State, place: Place): RunOperation[] {
  return state.operations.list(keyOf(place, "")).sort((a, b) => b.number - a.number);
}

function remember({ state, now }: Pick<Runtime, "state" | "now">, place: Place, about: Omit<RunOperation, "id" | "number">): RunOperation {
  return state.transaction(() => {
    const known = listOperations(state, place);
    const operation = { id: randomUUID(), number: Math.max(now(), (known[0]?.number ?? 0) + 1), ...about };
    for (const { id } of known.slice(MOST - 1)) state.operations.delete(keyOf(place, id));
    state.operations.set(keyOf(place, operation.id), operation);
    return operation;
  });
}

function operationName({ project, region }: Place, id: string): string {
  return `projects/${project.projectId}/locations/${region}/operations/${id}`;
}
