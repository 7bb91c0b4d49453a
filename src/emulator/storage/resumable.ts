import { randomBytes, randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import type { StorageObject, Upload } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";
import { appendBytes, blobPath, removeBlob, sealBlob } from "./blobs.ts";
import { recordObject, type ObjectTarget } from "./objects.ts";
import { StorageError } from "./storage-error.ts";

type Storage = Pick<Runtime, "state" | "now">;

/** Where an upload stands: the object where it is complete, else how many bytes are there. */
export type Progress = { readonly object: StorageObject } | { readonly received: number };

/** Uploads into which a request is writing at this moment. */
const busy = new WeakMap<State, Set<string>>();

const WEEK = 7 * 24 * 3600_000;

/** Starts a resumable upload; the id is all that later requests need. https://cloud.google.com/storage/docs/performing-resumable-uploads */
export function startUpload({ state, now }: Storage, { bucket, name, contentType }: ObjectTarget): string {
  const id = randomBytes(48).toString("base64url");
  state.uploads.set(id, { id, bucket, name, contentType, file: randomUUID(), timeCreated: new Date(now()).toISOString() });
  return id;
}

/**
 * Takes one request's bytes of an upload, as its Content-Range says: `bytes 0-262143/TOTAL`, with an asterisk for a total that is
 * not known yet, and for the range where the request only asks where things stand. Without the header it is the whole object.
 */
export async function continueUpload(
  storage: Storage,
  id: string,
  contentRange: string | undefined,
  body: AsyncIterable<Uint8Array>,
): Promise<Progress> {
  const { state } = storage;
  const upload = findUpload(state, id);
  if (upload.generation) {
    const object = state.objects.get(`${upload.bucket}/${upload.name}`);
    if (object?.generation === upload.generation) return { object };
    throw new StorageError(404, "notFound", "The upload is complete, and its object has been replaced or deleted since.");
  }
  const active = busy.get(state) ?? new Set();
  busy.set(state, active);
  if (active.has(id)) throw new StorageError(503, "backendError", "Another request is still writing to this upload. Please try again.");
  active.add(id);
  try {
    return await receive(storage, upload, readContentRange(contentRange), body);
  } finally {
    active.delete(id);
  }
}

async function receive(storage: Storage, upload: Upload, range: ContentRange, body: AsyncIterable<Uint8Array>): Promise<Progress> {
  const { state } = storage;
  const before = receivedBytes(state, upload);
  if (range.start !== undefined) {
    if (range.start > before) {
      const message = `Invalid request. According to the Content-Range header, the upload offset is ${range.start} byte(s), which exceeds already uploaded size of ${before} byte(s).`;
      throw new StorageError(400, "badRequest", message);
    }
    await appendBytes(state, upload.file, skip(body, before - range.start));
  }
  const received = receivedBytes(state, upload);
  if (range.total !== undefined && received > range.total)
    throw new StorageError(400, "badRequest", `Invalid request. There are more bytes than the total of ${range.total}.`);
  if (range.total === undefined ? !range.whole : received < range.total) return { received };
  return { object: await finish(storage, upload) };
}

async function finish(storage: Storage, upload: Upload): Promise<StorageObject> {
  const { state } = storage;
  if (receivedBytes(state, upload) === 0) await appendBytes(state, upload.file, none());
  // Kept for as long as Google keeps it, since the answer may get lost and the client ask again.
  return recordObject(storage, upload, await sealBlob(state, upload.file), ({ generation }) =>
    state.uploads.set(upload.id, { ...upload, generation }),
  );
}

/** Gives an upload up, and what has arrived of it. */
export function cancelUpload(state: State, id: string): void {
  const upload = findUpload(state, id);
  state.uploads.delete(id);
  if (!upload.generation) removeBlob(state, upload.file);
}

/** Forgets the uploads that are a week old, as Google does. */
export function sweepUploads({ state, now }: Storage): void {
  for (const { id, timeCreated } of state.uploads.list()) if (Date.parse(timeCreated) < now() - WEEK) cancelUpload(state, id);
}

function findUpload(state: State, id: string): Upload {
  const upload = state.uploads.get(id);
  if (!upload) throw new StorageError(404, "notFound", "The upload does not exist, or has been cancelled.");
  return upload;
}

function receivedBytes(state: State, upload: Upload): number {
  return statSync(blobPath(state, upload.file), { throwIfNoEntry: false })?.size ?? 0;
}

interface ContentRange {
  /** Where the request's bytes begin; undefined where it has none. */
  readonly start?: number;
  readonly total?: number;
  /** The request has all bytes there will be. */
  readonly whole?: true;
}

function readContentRange(header: string | undefined): ContentRange {
  if (header === undefined) return { start: 0, whole: true };
  const match = /^bytes (?:(\d+)-(\d+)|\*)\/(?:(\d+)|\*)$/.exec(header.trim());
  if (!match) throw new StorageError(400, "badRequest", `Failed to parse Content-Range header: ${header}`);
  return { ...(match[1] && { start: Number(match[1]) }), ...(match[3] && { total: Number(match[3]) }) };
}

async function* skip(source: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of source) {
    if (chunk.length > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

async function* none(): AsyncGenerator<Uint8Array> {}
