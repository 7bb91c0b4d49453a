import { randomBytes, randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import type { StorageObject, Upload } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";
import { appendBytes, blobPath, removeBlob, sealBlob } from "./blobs.ts";
import { recordObject, type ObjectTarget } from "./objects.ts";
import { StorageError } from "./storage-error.ts";

type StorageRuntime = Pick<Runtime, "state" | "now">;

/** An upload's progress: the object if it is complete, else the number of bytes received. */
export type Progress = { readonly object: StorageObject } | { readonly received: number };

const activeUploads = new WeakMap<State, Set<string>>();

const UPLOAD_LIFETIME_MS = 7 * 24 * 3600_000;

/** Starts a resumable upload; later requests need only its ID. https://cloud.google.com/storage/docs/performing-resumable-uploads */
export function startUpload({ state, now }: StorageRuntime, { bucket, name, contentType }: ObjectTarget): string {
  const id = randomBytes(48).toString("base64url");
  state.uploads.set(id, { id, bucket, name, contentType, file: randomUUID(), timeCreated: new Date(now()).toISOString() });
  return id;
}

/**
 * Receives the bytes of one request, as its Content-Range says: `bytes 0-262143/TOTAL`, with an asterisk for an unknown total, and for the
 * range of a status request. Without the header, the request has the whole object.
 */
export async function continueUpload(
  runtime: StorageRuntime,
  id: string,
  contentRange: string | undefined,
  body: AsyncIterable<Uint8Array>,
): Promise<Progress> {
  const { state } = runtime;
  const upload = findUpload(state, id);
  if (upload.generation) {
    const object = state.objects.get(`${upload.bucket}/${upload.name}`);
    if (object?.generation === upload.generation) return { object };
    throw new StorageError(404, "notFound", "The upload is complete, and its object has been replaced or deleted since.");
  }
  const activeIds = activeUploads.get(state) ?? new Set();
  activeUploads.set(state, activeIds);
  if (activeIds.has(id)) throw new StorageError(503, "backendError", "Another request is still writing to this upload. Please try again.");
  activeIds.add(id);
  try {
    return await receive(runtime, upload, parseContentRange(contentRange), body);
  } finally {
    activeIds.delete(id);
  }
}

async function receive(runtime: StorageRuntime, upload: Upload, range: ContentRange, body: AsyncIterable<Uint8Array>): Promise<Progress> {
  const { state } = runtime;
  const alreadyReceived = receivedBytes(state, upload);
  if (range.start !== undefined) {
    if (range.start > alreadyReceived) {
      const message = `Invalid request. According to the Content-Range header, the upload offset is ${range.start} byte(s), which exceeds already uploaded size of ${alreadyReceived} byte(s).`;
      throw new StorageError(400, "badRequest", message);
    }
    await appendBytes(state, upload.file, skip(body, alreadyReceived - range.start));
  }
  const received = receivedBytes(state, upload);
  if (range.total !== undefined && received > range.total)
    throw new StorageError(400, "badRequest", `Invalid request. There are more bytes than the total of ${range.total}.`);
  if (range.total === undefined ? !range.isWhole : received < range.total) return { received };
  return { object: await finishUpload(runtime, upload) };
}

async function finishUpload(runtime: StorageRuntime, upload: Upload): Promise<StorageObject> {
  const { state } = runtime;
  if (receivedBytes(state, upload) === 0) await appendBytes(state, upload.file, emptySource());
  // Stored for as long as Google does, since the response can get lost and the client can ask again.
  return recordObject(runtime, upload, await sealBlob(state, upload.file), ({ generation }) =>
    state.uploads.set(upload.id, { ...upload, generation }),
  );
}

export function cancelUpload(state: State, id: string): void {
  const upload = findUpload(state, id);
  state.uploads.delete(id);
  if (!upload.generation) removeBlob(state, upload.file);
}

/** Removes uploads that are a week old, as Google does. */
export function removeExpiredUploads({ state, now }: StorageRuntime): void {
  for (const { id, timeCreated } of state.uploads.list()) if (Date.parse(timeCreated) < now() - UPLOAD_LIFETIME_MS) cancelUpload(state, id);
}

function findUpload(state: State, id: string): Upload {
  const upload = state.uploads.get(id);
  if (!upload) throw new StorageError(404, "notFound", "The upload does not exist, or was canceled.");
  return upload;
}

function receivedBytes(state: State, upload: Upload): number {
  return statSync(blobPath(state, upload.file), { throwIfNoEntry: false })?.size ?? 0;
}

interface ContentRange {
  /** The offset of the request's bytes; undefined if it has none. */
  readonly start?: number;
  readonly total?: number;
  /** The request has the whole object. */
  readonly isWhole?: true;
}

function parseContentRange(header: string | undefined): ContentRange {
  if (header === undefined) return { start: 0, isWhole: true };
  const match = /^bytes (?:(\d+)-(\d+)|\*)\/(?:(\d+)|\*)$/.exec(header.trim());
  if (!match) throw new StorageError(400, "badRequest", `Failed to parse Content-Range header: ${header}`);
  return { ...(match[1] && { start: Number(match[1]) }), ...(match[3] && { total: Number(match[3]) }) };
}

async function* skip(source: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let bytesToSkip = bytes;
  for await (const chunk of source) {
    if (chunk.length > bytesToSkip) yield chunk.subarray(bytesToSkip);
    bytesToSkip = Math.max(0, bytesToSkip - chunk.length);
  }
}

async function* emptySource(): AsyncGenerator<Uint8Array> {}
