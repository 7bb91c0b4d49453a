import { randomBytes } from "node:crypto";
import { requireProject } from "../state/projects.ts";
import { ApiError, invalidArgument } from "../server/errors.ts";
import { isObject } from "../server/json.ts";
import type { Secret } from "./secret.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";
import { removePayload } from "./payloads.ts";

export type SecretsRuntime = Pick<Runtime, "state" | "now">;

/** A secret's key in the state: `PROJECT/ID`. Throws ApiError NOT_FOUND if the project doesn't exist. */
export function secretKey(runtime: SecretsRuntime, project: string, id: string): string {
  return `${requireProject(runtime.state, project).projectId}/${id}`;
}

/** Finds a secret by its key. Throws ApiError NOT_FOUND. */
export function findSecret(state: State, key: string): Secret {
  const secret = state.secrets.get(key);
  if (!secret) throw new ApiError("NOT_FOUND", `Secret [${secretName(state, key)}] not found.`);
  return secret;
}

/** A secret's full name, with the project's number as in Google's responses. */
export function secretName(state: State, key: string): string {
  const [project = "", id = ""] = key.split("/");
  return `projects/${state.projects.get(project)?.projectNumber ?? project}/secrets/${id}`;
}

/** Creates a secret without versions. Throws ApiError INVALID_ARGUMENT and ALREADY_EXISTS. */
export function createSecret(runtime: SecretsRuntime, project: string, id: string, body: Readonly<Record<string, unknown>>): Secret {
  const { state, now } = runtime;
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(id)) {
    throw invalidArgument(`The provided Secret ID [${id}] does not match the expected format [[a-zA-Z_0-9-]{1,255}].`);
  }
  const { replication, labels, annotations } = body;
  if (!isObject(replication) || !("automatic" in replication || "userManaged" in replication)) {
    throw invalidArgument("Secret.replication must be set to automatic or userManaged.");
  }
  const key = secretKey(runtime, project, id);
  if (state.secrets.get(key)) throw new ApiError("ALREADY_EXISTS", `Secret [${secretName(state, key)}] already exists.`);
  const secret: Secret = {
    name: secretName(state, key),
    replication,
    createTime: new Date(now()).toISOString(),
    etag: newEtag(),
    ...(labels !== undefined && { labels: parseStringMap("labels", labels) }),
    ...(annotations !== undefined && { annotations: parseStringMap("annotations", annotations) }),
  };
  state.secrets.set(key, secret);
  return secret;
}

/** Updates the fields of a PATCH. Throws ApiError INVALID_ARGUMENT for a field that the emulator can't change. */
export function updateSecret(
  { state }: SecretsRuntime,
  key: string,
  body: Readonly<Record<string, unknown>>,
  mask: readonly string[],
): Secret {
  const secret = findSecret(state, key);
  for (const field of mask) {
    if (field !== "labels" && field !== "annotations")
      throw invalidArgument(`The emulator can change only a secret's labels and annotations, not '${field}'.`);
  }
  const changes = Object.fromEntries(mask.map((field) => [field, parseStringMap(field, body[field] ?? {})]));
  const updated = { ...secret, ...changes, etag: newEtag() };
  state.secrets.set(key, updated);
  return updated;
}

/** Deletes a secret with its versions, their bytes and its policy. */
export function deleteSecret({ state }: SecretsRuntime, key: string): void {
  findSecret(state, key);
  const [project = "", id = ""] = key.split("/");
  const versions = state.secretVersions.list(`${key}/`);
  state.transaction(() => {
    for (const versionKey of state.secretVersions.keys(`${key}/`)) state.secretVersions.delete(versionKey);
    state.policies.delete(`projects/${project}/secrets/${id}`);
    state.secrets.delete(key);
  });
  for (const { file } of versions) if (file !== undefined) removePayload(state, file);
}

export function newEtag(): string {
  return `"${randomBytes(7).toString("hex")}"`;
}

function parseStringMap(field: string, value: unknown): Record<string, string> {
  if (isObject(value) && Object.values(value).every((text) => typeof text === "string")) return value as Record<string, string>;
  throw invalidArgument(`Invalid value at 'secret.${field}'.`);
}
