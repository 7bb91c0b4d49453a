import { createHash } from "node:crypto";
import { CliError } from "../../errors/cli-error.ts";
import type { Response } from "../../http/request.ts";
import { readRetryAfter } from "../../http/retry.ts";
import type { ApiClient } from "./client.ts";
import { PROXY_HINT, readApiError, readJson } from "./errors.ts";
import { withRetry } from "../retry.ts";
import type { Place } from "../names.ts";

export const CLOUD_STORAGE = "https://storage.googleapis.com";

/** How much is sent, and pending in memory, at a time: a multiple of 256 KiB, as Cloud Storage requires. */
const CHUNK_BYTES = 8 * 1024 * 1024;
/** Enough for a slow connection. */
const CHUNK_TIMEOUT_MS = 5 * 60_000;
/** How many times an upload is started that Cloud Storage has lost. */
const MAX_STARTS = 3;

interface Target {
  readonly bucket: string;
  readonly object: string;
}

interface UploadOptions {
  readonly place: Place;
  readonly signal: AbortSignal;
  /** A multiple of 256 KiB. */
  readonly chunkBytes?: number;
}

export interface StoredObject {
  readonly generation: string;
  readonly md5Hash?: string;
}

/** An upload that can't continue: the bytes that had arrived are gone, or are others. */
class UploadLost extends Error {
  override readonly name = "UploadLost";
}

/**
 * Stores the bytes that `open` returns, each time that it is called. An upload that breaks off continues with what hasn't arrived. Throws what
 * Google's error means. https://cloud.google.com/storage/docs/performing-resumable-uploads
 */
export async function uploadObject(
  client: ApiClient,
  target: Target,
  open: () => AsyncIterable<Buffer>,
  options: UploadOptions,
): Promise<StoredObject> {
  for (let start = 1; ; start += 1) {
    try {
      return await uploadOnce(client, target, open(), options);
    } catch (error) {
      if (!(error instanceof UploadLost)) throw error;
      if (start === MAX_STARTS)
        throw new CliError("UNAVAILABLE", `Cloud Storage lost the upload: ${error.message}`, {
          hint: "Run the command again in a minute.",
          cause: error,
        });
    }
  }
}

async function uploadOnce(
  client: ApiClient,
  target: Target,
  source: AsyncIterable<Buffer>,
  { place, signal, chunkBytes = CHUNK_BYTES }: UploadOptions,
): Promise<StoredObject> {
  const session = await withRetry(() => startUpload(client, target, place), { signal });
  const hash = createHash("md5");
  let offset = 0;
  for await (const { bytes, isLast } of readChunks(source, chunkBytes)) {
    hash.update(bytes);
    const total = isLast ? offset + bytes.length : undefined;
    const stored = await sendChunk({ client, session, place, signal }, bytes, offset, total);
    offset += bytes.length;
    if (!stored) continue;
    if (stored.md5Hash === undefined || stored.md5Hash === hash.digest("base64")) return stored;
    throw new UploadLost("the stored data differs from what was sent.");
  }
  throw new Error("an upload has a last chunk");
}

/** An upload that is started but never completed leaves nothing behind. */
async function startUpload(client: ApiClient, { bucket, object }: Target, place: Place): Promise<string> {
  const { href, host } = new URL(uploadUrl({ bucket, object }));
  const response = await client.send({ method: "POST", url: href, headers: [["X-Upload-Content-Type", "application/gzip"]] });
  const text = await response.text();
  const session = response.headers["location"] ?? "";
  if (response.status >= 400) throw readApiError(response.status, text, host, place, readRetryAfter(response) / 1000);
  // The token is sent to this URL.
  if (URL.canParse(session) && new URL(session).host === host) return session;
  throw new CliError("UNAVAILABLE", `${host} didn't return an upload URL.`, { hint: PROXY_HINT });
}

export function uploadUrl({ bucket, object }: Target): string {
  return `${CLOUD_STORAGE}/upload/storage/v1/b/${bucket}/o?uploadType=resumable&name=${encodeURIComponent(object)}`;
}

interface Session {
  readonly client: ApiClient;
  readonly session: string;
  readonly place: Place;
  readonly signal: AbortSignal;
}

/** Sends the bytes from `offset` on until all have arrived; resolves with the object after the last bytes, for which `total` is known. */
async function sendChunk(
  { client, session, place, signal }: Session,
  bytes: Buffer,
  offset: number,
  total: number | undefined,
): Promise<StoredObject | undefined> {
  const size = total ?? "*";
  let arrived = offset;
  const put = async (rest: Buffer): Promise<StoredObject | undefined> => {
    const range = rest.length === 0 ? "*" : `${arrived}-${arrived + rest.length - 1}`;
    const headers = [["Content-Range", `bytes ${range}/${size}`]] as const;
    const response = await client.send({ method: "PUT", url: session, bytes: rest, headers, timeoutMs: CHUNK_TIMEOUT_MS });
    const text = await response.text();
    if (response.status === 200 || response.status === 201) return readJson(text, new URL(session).host) as StoredObject;
    if (response.status !== 308) throw readFailure(response, text, session, place);
    arrived = Number(/^bytes=0-(\d+)$/.exec(response.headers["range"] ?? "")?.[1] ?? -1) + 1;
    if (arrived < offset || arrived > offset + bytes.length) throw new UploadLost(`it has ${arrived} of ${offset + bytes.length} bytes.`);
    return undefined;
  };
  return withRetry(
    async (attempt) => {
      // After a failed attempt, it isn't known how many bytes have arrived.
      let stored = attempt > 1 ? await put(Buffer.alloc(0)) : undefined;
      while (!stored && (total !== undefined || arrived < offset + bytes.length)) {
        const before = arrived;
        stored = await put(bytes.subarray(arrived - offset));
        if (!stored && arrived === before) throw uploadStalled(session);
      }
      return stored;
    },
    { signal },
  );
}

function uploadStalled(session: string): CliError {
  const { host } = new URL(session);
  return new CliError("UNAVAILABLE", `${host} rejected the upload.`, {
    hint: "Run the command again in a minute.",
    retryAfterSeconds: 0,
    details: { status: 308 },
  });
}

function readFailure(response: Response, text: string, session: string, place: Place): Error {
  const { status } = response;
  if (status === 404 || status === 410) return new UploadLost("the upload session has expired.");
  return readApiError(status, text, new URL(session).host, place, readRetryAfter(response) / 1000);
}

/** The bytes of a source in pieces of one size; the last piece can be smaller. */
async function* readChunks(source: AsyncIterable<Buffer>, size: number): AsyncGenerator<{ bytes: Buffer; isLast: boolean }> {
  let pending: Buffer[] = [];
  let length = 0;
  for await (const piece of source) {
    pending.push(piece);
    length += piece.length;
    // A piece is held back until more bytes follow, because the last piece must be marked as the last.
    while (length > size) {
      const all = Buffer.concat(pending);
      yield { bytes: all.subarray(0, size), isLast: false };
      pending = [all.subarray(size)];
      length -= size;
    }
  }
  yield { bytes: Buffer.concat(pending), isLast: true };
}
