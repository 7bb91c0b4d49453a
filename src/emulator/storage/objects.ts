import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import type { StorageObject } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";
import { appendBytes, blobPath, removeBlob, sealBlob, type Blob } from "./blobs.ts";
import type { ByteRange } from "./byte-range.ts";
import { createChecksum } from "./checksum.ts";
import { StorageError, toStorageError } from "./storage-error.ts";

type StorageRuntime = Pick<Runtime, "state" | "now">;

export interface ObjectTarget {
  readonly bucket: string;
  readonly name: string;
  readonly contentType: string;
  /** Store the object only if the current one has this generation; "0": only if none exists. */
  readonly ifGenerationMatch?: string | undefined;
}

export function findObject(state: State, bucket: string, name: string, generation?: string | null): StorageObject {
  if (!state.buckets.get(bucket)) throw bucketNotFound();
  const object = state.objects.get(`${bucket}/${name}`);
  if (!object || (generation && generation !== object.generation))
    throw new StorageError(404, "notFound", `No such object: ${bucket}/${name}`);
  return object;
}

/** Stores a source's bytes as an object. If the source or the disk fails, nothing changes and nothing is left behind. */
export async function insertObject(
  runtime: StorageRuntime,
  target: ObjectTarget,
  source: AsyncIterable<Uint8Array>,
): Promise<StorageObject> {
  const file = randomUUID();
  try {
    await appendBytes(runtime.state, file, source);
    return recordObject(runtime, target, await sealBlob(runtime.state, file));
  } catch (error) {
    removeBlob(runtime.state, file);
    throw error;
  }
}

/** Turns a blob into an object and replaces the object of this name; `alongside` makes further changes in the same transaction. */
export function recordObject(
  { state, now }: StorageRuntime,
  target: ObjectTarget,
  blob: Blob,
  alongside?: (object: StorageObject) => void,
): StorageObject {
  const { bucket, name, contentType } = target;
  const key = `${bucket}/${name}`;
  const previous = state.objects.get(key);
  if (!state.buckets.get(bucket)) throw bucketNotFound();
  if (target.ifGenerationMatch && target.ifGenerationMatch !== (previous?.generation ?? "0")) {
    throw new StorageError(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");
  }
  // Microseconds, like Google's generations, and always increasing.
  const generation = String(Math.max(now() * 1000, Number(previous?.generation ?? 0) + 1));
  const { file, size, md5Hash, crc32c } = blob;
  const object = { bucket, name, generation, size, contentType, md5Hash, crc32c, timeCreated: new Date(now()).toISOString(), file };
  try {
    state.transaction(() => {
      state.objects.set(key, object);
      alongside?.(object);
    });
  } catch (error) {
    throw toStorageError(error);
  }
  if (previous) removeBlob(state, previous.file);
  return object;
}

/**
 * Reads an object's bytes, or a range of them: as many as the object had when it was looked up, even if it grows or is deleted meanwhile.
 */
export async function readObject(state: State, object: StorageObject, range?: ByteRange): Promise<Readable> {
  if (object.size === 0) return Readable.from([]);
  const handle = await open(blobPath(state, object.file), "r");
  return handle.createReadStream(range ?? { start: 0, end: object.size - 1 });
}

export function deleteObject(state: State, object: StorageObject): void {
  state.objects.delete(`${object.bucket}/${object.name}`);
  removeBlob(state, object.file);
}

/** Creates a text object that grows; readers see what has been appended so far. */
export function appendObject(runtime: StorageRuntime, target: ObjectTarget): (text: string) => void {
  const { state } = runtime;
  const checksum = createChecksum();
  const file = randomUUID();
  appendFileSync(blobPath(state, file), "", { mode: 0o600 });
  let object = recordObject(runtime, target, { file, ...checksum.current() });
  return (text) => {
    const bytes = Buffer.from(text);
    appendFileSync(blobPath(state, file), bytes);
    checksum.add(bytes);
    // Unlike Cloud Run: a build's log grows within one generation; in Cloud Storage, each state of an object has its own generation.
    object = { ...object, ...checksum.current() };
    // A log that was deleted or restarted must not reappear.
    if (state.objects.get(`${target.bucket}/${target.name}`)?.file === file) state.objects.set(`${target.bucket}/${target.name}`, object);
  };
}

export function bucketNotFound(): StorageError {
  return new StorageError(404, "notFound", "The specified bucket does not exist.");
}
