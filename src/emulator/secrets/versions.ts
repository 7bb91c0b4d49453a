import { ApiError } from "../server/errors.ts";
import type { SecretVersion } from "./secret.ts";
import type { State } from "../state/state.ts";
import { crc32c } from "../storage/crc32c.ts";
import { readPayload, removePayload, writePayload } from "./payloads.ts";
import { findSecret, isObject, newEtag, secretName, type SecretManager } from "./secrets.ts";

/** https://cloud.google.com/secret-manager/quotas#content_limits */
const MOST_BYTES = 64 * 1024;

/** Adds a version with the bytes of a request's payload. Throws ApiError INVALID_ARGUMENT where they are too many, or not what the client sent. */
export function addVersion({ state, now }: SecretManager, key: string, body: Readonly<Record<string, unknown>>): SecretVersion {
  findSecret(state, key);
  const { data, checksum } = readRequest(body);
  const number = Number(newest(state, key)?.number ?? 0) + 1;
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
  state.secretVersions.set(keyOfVersion(key, number), version);
  return version;
}

/** A secret's version by its number, or by `latest`: the one that was added last, whatever its state. Throws ApiError NOT_FOUND. */
export function findVersion(state: State, key: string, id: string): SecretVersion {
  const found =
    id === "latest" ? newest(state, key) : /^[1-9]\d*$/.test(id) ? state.secretVersions.get(keyOfVersion(key, Number(id))) : undefined;
  if (found) return found;
  const name = secretName(state, key);
  if (id === "latest") throw new ApiError("NOT_FOUND", `Secret [${name}] not found or has no versions.`);
  throw new ApiError("NOT_FOUND", `Secret Version [${name}/versions/${id}] not found.`);
}

/** A version's bytes; throws ApiError NOT_FOUND, and FAILED_PRECONDITION where it is disabled or destroyed. */
export function accessVersion(state: State, key: string, id: string): { readonly version: SecretVersion; readonly data: Buffer } {
  const version = findVersion(state, key, id);
  if (version.state !== "ENABLED" || version.file === undefined)
    throw new ApiError("FAILED_PRECONDITION", `Secret Version [${version.name}] is in ${version.state} state.`);
  return { version, data: readPayload(state, version.file) };
}

/** Enables, disables or destroys a version. Throws ApiError FAILED_PRECONDITION where it is destroyed already, or the etag is another's. */
export function changeVersion(
  { state, now }: SecretManager,
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
  const changed: SecretVersion = {
    ...version,
    state: next,
    etag: newEtag(),
    ...(isDestroyed ? { destroyTime: new Date(now()).toISOString() } : file !== undefined && { file }),
  };
  state.secretVersions.set(keyOfVersion(key, version.number), changed);
  if (isDestroyed && file !== undefined) removePayload(state, file);
  return changed;
}

/** A version as the API shows it: without its bytes and where they lie. */
export function versionMessage(version: SecretVersion): object {
  const { file: _, number: __, ...message } = version;
  return { ...message, replicationStatus: { automatic: {} } };
}

// In the order of their numbers, since the state keeps its keys in order.
function keyOfVersion(key: string, number: number): string {
  return `${key}/${String(number).padStart(9, "0")}`;
}

function newest(state: State, key: string): SecretVersion | undefined {
  return state.secretVersions.list(`${key}/`).at(-1);
}

function readRequest({ payload }: Readonly<Record<string, unknown>>): { data: Buffer; checksum: unknown } {
  const { data = "", dataCrc32c: checksum } = isObject(payload) ? payload : {};
  if (!isObject(payload) || typeof data !== "string" || !/^[\w+/-]*=*$/.test(data))
    throw new ApiError("INVALID_ARGUMENT", "Invalid value at 'payload.data' (TYPE_BYTES), Base64 decoding failed.");
  const bytes = Buffer.from(data, "base64");
  if (bytes.length > MOST_BYTES)
    throw new ApiError("INVALID_ARGUMENT", `The secret payload is ${bytes.length} bytes long; ${MOST_BYTES} bytes are the most.`);
  if (checksum !== undefined && String(checksum) !== String(crc32c(bytes)))
    throw new ApiError("INVALID_ARGUMENT", "The payload's checksum is not the one that the request says: it was damaged on its way.");
  return { data: bytes, checksum };
}
