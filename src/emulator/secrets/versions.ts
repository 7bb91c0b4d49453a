import { ApiError, invalidArgument } from "../server/errors.ts";
import { isObject } from "../server/json.ts";
import type { SecretVersion } from "./secret.ts";
import type { State } from "../state/state.ts";
import { crc32c } from "../storage/crc32c.ts";
import { readPayload, removePayload, writePayload } from "./payloads.ts";
import { findSecret, newEtag, secretName, type SecretsRuntime } from "./secrets.ts";

/** https://cloud.google.com/secret-manager/quotas#content_limits */
const MAX_PAYLOAD_BYTES = 64 * 1024;

/** Throws ApiError INVALID_ARGUMENT if the payload exceeds the limit or doesn't match the client's checksum. */
export function addVersion({ state, now }: SecretsRuntime, key: string, body: Readonly<Record<string, unknown>>): SecretVersion {
  findSecret(state, key);
  const { data, checksum } = parsePayload(body);
  const number = Number(newestVersion(state, key)?.number ?? 0) + 1;
  const file = writePayload(state, data);
  const version: SecretVersion = {
    name: `${secretName(state, key)}/versions/${number}`,
    number,
    state: "ENABLED",
    createTime: new Date(now()).toISOString(),
    etag: newEtag(),
    clientSpecifiedPayloadChecksum: checksum !== undefined,
    file,
  };
  state.secretVersions.set(versionKey(key, number), version);
  return version;
}

/** Finds a secret's version by its number, or by `latest`: the newest version, whatever its state. Throws ApiError NOT_FOUND. */
export function findVersion(state: State, key: string, id: string): SecretVersion {
  const version =
    id === "latest" ? newestVersion(state, key) : /^[1-9]\d*$/.test(id) ? state.secretVersions.get(versionKey(key, Number(id))) : undefined;
  if (version) return version;
  const name = secretName(state, key);
  if (id === "latest") throw new ApiError("NOT_FOUND", `Secret [${name}] not found or has no versions.`);
  throw new ApiError("NOT_FOUND", `Secret Version [${name}/versions/${id}] not found.`);
}

/** Reads a version's bytes. Throws ApiError NOT_FOUND, and FAILED_PRECONDITION if it is disabled or destroyed. */
export function accessVersion(state: State, key: string, id: string): { readonly version: SecretVersion; readonly data: Buffer } {
  const version = findVersion(state, key, id);
  if (version.state !== "ENABLED" || version.file === undefined)
    throw new ApiError("FAILED_PRECONDITION", `Secret Version [${version.name}] is in ${version.state} state.`);
  return { version, data: readPayload(state, version.file) };
}

/** Enables, disables or destroys a version. Throws ApiError FAILED_PRECONDITION if it is already destroyed, or the etag doesn't match. */
export function changeVersion(
  { state, now }: SecretsRuntime,
  key: string,
  id: string,
  next: SecretVersion["state"],
  etag: unknown,
): SecretVersion {
  const { file, ...version } = findVersion(state, key, id);
  if (etag !== undefined && etag !== version.etag)
    throw new ApiError("FAILED_PRECONDITION", "The etag provided in the request does not match the resource's current etag.");
  if (version.state === "DESTROYED") throw new ApiError("FAILED_PRECONDITION", `Secret Version [${version.name}] is in DESTROYED state.`);
  const isDestroyed = next === "DESTROYED";
  const updated: SecretVersion = {
    ...version,
    state: next,
    etag: newEtag(),
    ...(isDestroyed ? { destroyTime: new Date(now()).toISOString() } : file !== undefined && { file }),
  };
  state.secretVersions.set(versionKey(key, version.number), updated);
  if (isDestroyed && file !== undefined) removePayload(state, file);
  return updated;
}

/** A version's message in the API, without its bytes and their file. */
export function versionMessage(version: SecretVersion): object {
  const { file: _, number: __, ...message } = version;
  return { ...message, replicationStatus: { automatic: {} } };
}

// Padded, so that the state, which sorts its keys, keeps versions in order.
function versionKey(key: string, number: number): string {
  return `${key}/${String(number).padStart(9, "0")}`;
}

function newestVersion(state: State, key: string): SecretVersion | undefined {
  return state.secretVersions.list(`${key}/`).at(-1);
}

function parsePayload({ payload }: Readonly<Record<string, unknown>>): { data: Buffer; checksum: unknown } {
  const { data = "", dataCrc32c: checksum } = isObject(payload) ? payload : {};
  if (!isObject(payload) || typeof data !== "string" || !/^[\w+/-]*=*$/.test(data))
    throw invalidArgument("Invalid value at 'payload.data' (TYPE_BYTES), Base64 decoding failed.");
  const bytes = Buffer.from(data, "base64");
  if (bytes.length > MAX_PAYLOAD_BYTES)
    throw invalidArgument(`The secret payload has ${bytes.length} bytes. The limit is ${MAX_PAYLOAD_BYTES} bytes.`);
  if (checksum !== undefined && String(checksum) !== String(crc32c(bytes)))
    throw invalidArgument("The payload doesn't match the checksum in the request.");
  return { data: bytes, checksum };
}
