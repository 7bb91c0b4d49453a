import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import type { StorageObject } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";
import { appendBytes, blobPath, removeBlob, sealBlob, type Blob } from "./blobs.ts";
import type { ByteRange } from "./byte-range.ts";
import { createSummer } from "./checksums.ts";
import { StorageError, storageFailure } from "./storage-error.ts";

type Storage = Pick<Runtime, "state" | "now">;

/** Where an object goes, and what is said of it beforehand. */
export interface ObjectTarget {
  readonly bucket: string;
  readonly name: string;
  readonly contentType: string;
  /** Store it only where the object now has this generation; "0": only where there is none. */
  readonly ifGenerationMatch?: string | undefined;
}

export function findObject(state: State, bucket: string, name: string, generation?: string | null): StorageObject {
  if (!state.buckets.get(bucket)) throw noSuchBucket();
  const object = state.objects.get(`${bucket}/${name}`);
  if (!object || (generation && generation !== object.generation))
    throw new StorageError(404, "notFound", `No such object: ${bucket}/${name}`);
  return object;
}

/** Stores all of a source's bytes as an object. Where the source or the disk fails, nothing changes and nothing is left behind. */
export async function insertObject(storage: Storage, target: ObjectTarget, source: AsyncIterable<Uint8Array>): Promise<StorageObject> {
  const file = randomUUID();
  try {
    await appendBytes(storage.state, file, source);
    return recordObject(storage, target, await sealBlob(storage.state, file));
  } catch (error) {
    removeBlob(storage.state, file);
    throw error;
  }
}

/** Makes a blob an object, in place of the one that had the name; `alongside` changes what else has to change with it. */
export function recordObject(
  { state, now }: Storage,
  target: ObjectTarget,
  blob: Blob,
  alongside?: (object: StorageObject) => void,
): StorageObject {
  const { bucket, name, contentType } = target;
  const key = `${bucket}/${name}`;
  const previous = state.objects.get(key);
  if (!state.buckets.get(bucket)) throw noSuchBucket();
  if (target.ifGenerationMatch && target.ifGenerationMatch !== (previous?.generation ?? "0")) {
    throw new StorageError(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");
  }
  // Microseconds, as Google's are, and never the same twice.
  const generation = String(Math.max(now() * 1000, Number(previous?.generation ?? 0) + 1));
  const { file, size, md5Hash, crc32c } = blob;
  const object = { bucket, name, generation, size, contentType, md5Hash, crc32c, timeCreated: new Date(now()).toISOString(), file };
  try {
    state.transaction(() => {
      state.objects.set(key, object);
      alongside?.(object);
    });
  } catch (error) {
    throw storageFailure(error);
  }
  if (previous) removeBlob(state, previous.file);
  return object;
}

/** An object's bytes, or a range of them: as many as the object had when it was looked up, even if it grows or is deleted meanwhile. */
export async function readObject(state: State, object: StorageObject, range?: ByteRange): Promise<Readable> {
  if (object.size === 0) return Readable.from([]);
  const handle = await open(blobPath(state, object.file), "r");
  return handle.createReadStream(range ?? { start: 0, end: object.size - 1 });
}

export function deleteObject(state: State, object: StorageObject): void {
  state.objects.delete(`${object.bucket}/${object.name}`);
  removeBlob(state, object.file);
}

/** Starts a text object that grows; whoever reads it sees what has been appended so far. */
export function appendObject(storage: Storage, target: ObjectTarget): (text: string) => void {
  const { state } = storage;
  const summer = createSummer();
  const file = randomUUID();
  appendFileSync(blobPath(state, file), "", { mode: 0o600 });
  let object = recordObject(storage, target, { file, ...summer.sum() });
  return (text) => {
    const bytes = Buffer.from(text);
    appendFileSync(blobPath(state, file), bytes);
    summer.add(bytes);
    // Unlike Cloud Run: a build's log grows within one generation; Cloud Storage gives each state of an object a generation of its own.
    object = { ...object, ...summer.sum() };
    // A log that was deleted, or begun anew, must not come back.
    if (state.objects.get(`${target.bucket}/${target.name}`)?.file === file) state.objects.set(`${target.bucket}/${target.name}`, object);
  };
}

export function noSuchBucket(): StorageError {
  return new StorageError(404, "notFound", "The specified bucket does not exist.");
}
