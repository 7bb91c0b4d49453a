import { randomBytes } from "node:crypto";
import { requireProject } from "../builds/new-build.ts";
import { ApiError } from "../server/errors.ts";
import type { Secret } from "./secret.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";
import { removePayload } from "./payloads.ts";

export type SecretManager = Pick<Runtime, "state" | "now">;

/** The key of a secret in the state: `PROJECT/ID`. Throws ApiError NOT_FOUND where there is no such project. */
export function keyOfSecret(manager: SecretManager, project: string, id: string): string {
  return `${requireProject(manager, project).projectId}/${id}`;
}

/** The secret of a key; throws ApiError NOT_FOUND. */
export function findSecret(state: State, key: string): Secret {
  const secret = state.secrets.get(key);
  if (!secret) throw new ApiError("NOT_FOUND", `Secret [${secretName(state, key)}] not found.`);
  return secret;
}

/** A secret's name as Google shows it, with the project's number. */
export function secretName(state: State, key: string): string {
  const [project = "", id = ""] = key.split("/");
  return `projects/${state.projects.get(project)?.projectNumber ?? project}/secrets/${id}`;
}

/** Stores a new secret, which has no version yet. Throws ApiError INVALID_ARGUMENT and ALREADY_EXISTS. */
export function createSecret(manager: SecretManager, project: string, id: string, body: Readonly<Record<string, unknown>>): Secret {
  const { state, now } = manager;
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(id)) {
    throw new ApiError("INVALID_ARGUMENT", `The provided Secret ID [${id}] does not match the expected format [[a-zA-Z_0-9-]{1,255}].`);
  }
  const { replication, labels, annotations } = body;
  if (!isObject(replication) || !("automatic" in replication || "userManaged" in replication)) {
    throw new ApiError("INVALID_ARGUMENT", "Secret.replication must be set: it is automatic or userManaged.");
  }
  const key = keyOfSecret(manager, project, id);
  if (state.secrets.get(key)) throw new ApiError("ALREADY_EXISTS", `Secret [${secretName(state, key)}] already exists.`);
  const secret: Secret = {
    name: secretName(state, key),
    replication,
    createTime: new Date(now()).toISOString(),
    etag: newEtag(),
    ...(labels !== undefined && { labels: readTexts("labels", labels) }),
    ...(annotations !== undefined && { annotations: readTexts("annotations", annotations) }),
  };
  state.secrets.set(key, secret);
  return secret;
}

/** Changes what a PATCH may change. Throws ApiError INVALID_ARGUMENT for a field that the emulator cannot change. */
export function updateSecret(
  { state }: SecretManager,
  key: string,
  body: Readonly<Record<string, unknown>>,
  mask: readonly string[],
): Secret {
  const secret = findSecret(state, key);
  for (const field of mask) {
    if (field !== "labels" && field !== "annotations")
      throw new ApiError("INVALID_ARGUMENT", `The emulator changes a secret's labels and annotations only, not '${field}'.`);
  }
  const changes = Object.fromEntries(mask.map((field) => [field, readTexts(field, body[field] ?? {})]));
  const next = { ...secret, ...changes, etag: newEtag() };
  state.secrets.set(key, next);
  return next;
}

/** Deletes a secret with its versions, their bytes and its policy. */
export function deleteSecret({ state }: SecretManager, key: string): void {
  findSecret(state, key);
  const [project = "", id = ""] = key.split("/");
  const versions = state.secretVersions.list(`${key}/`);
  state.transaction(() => {
    for (const each of state.secretVersions.keys(`${key}/`)) state.secretVersions.delete(each);
    state.policies.delete(`projects/${project}/secrets/${id}`);
    state.secrets.delete(key);
  });
  for (const { file } of versions) if (file !== undefined) removePayload(state, file);
}

export function newEtag(): string {
  return `"${randomBytes(7).toString("hex")}"`;
}

function readTexts(field: string, value: unknown): Record<string, string> {
  if (isObject(value) && Object.values(value).every((text) => typeof text === "string")) return value as Record<string, string>;
  throw new ApiError("INVALID_ARGUMENT", `Invalid value at 'secret.${field}'.`);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
