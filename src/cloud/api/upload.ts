import { createHash } from "node:crypto";
import { CliError } from "../../errors/cli-error.ts";
import type { Response } from "../../http/client.ts";
import { retryAfter } from "../../http/retry.ts";
import type { ApiClient } from "./client.ts";
import { readApiError, readJson } from "./errors.ts";
import { withRetry } from "../retry.ts";
import type { Place } from "../names.ts";

export const CLOUD_STORAGE = "https://storage.googleapis.com";

/** Bytes that are sent, and held in memory, at a time: a multiple of 256 KiB, as Cloud Storage wants it. */
const CHUNK = 8 * 1024 * 1024;
/** Enough for a slow connection. */
const CHUNK_TIMEOUT_MS = 5 * 60_000;
/** How often an upload that Cloud Storage has lost is begun. */
const BEGINNINGS = 3;

interface Target {
  readonly bucket: string;
  readonly object: string;
}

interface UploadOptions {
  readonly place: Place;
  readonly signal: AbortSignal;
  /** Bytes; see CHUNK. */
  readonly chunk?: number;
}

/** What Cloud Storage says of an object that is there whole. */
export interface StoredObject {
  readonly generation: string;
  readonly md5Hash?: string;
}

/** An upload that cannot go on: what had arrived of it is not there any more, or something else is. */
class Lost extends Error {
  override readonly name = "Lost";
}

/**
 * Stores an object whose bytes `open` gives, as often as it is asked. An upload that breaks off goes on with what has not arrived. Throws what Google's
 * error means. https://cloud.google.com/storage/docs/performing-resumable-uploads
 */
export async function uploadObject(
  client: ApiClient,
  target: Target,
  open: () => AsyncIterable<Buffer>,
  options: UploadOptions,
): Promise<StoredObject> {
  for (let beginning = 1; ; beginning += 1) {
    try {
      return await uploadOnce(client, target, open(), options);
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      if (beginning === BEGINNINGS)
        throw new CliError("UNAVAILABLE", `Cloud Storage has lost the upload: ${error.message}`, {
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
  { place, signal, chunk = CHUNK }: UploadOptions,
): Promise<StoredObject> {
  const session = await withRetry(() => begin(client, target, place), { signal });
  const hash = createHash("md5");
  let offset = 0;
  for await (const { bytes, isLast } of chunksOf(source, chunk)) {
    hash.update(bytes);
    const total = isLast ? offset + bytes.length : undefined;
    const stored = await sendChunk({ client, session, place, signal }, bytes, offset, total);
    offset += bytes.length;
    if (!stored) continue;
    if (stored.md5Hash === undefined || stored.md5Hash === hash.digest("base64")) return stored;
    throw new Lost("what arrived is not what was sent.");
  }
  throw new Error("an upload has a last chunk");
}

/** One that is begun and never ended leaves nothing behind. */
async function begin(client: ApiClient, { bucket, object }: Target, place: Place): Promise<string> {
  const { href, host } = new URL(uploadUrl({ bucket, object }));
  const response = await client.send({ method: "POST", url: href, headers: [["X-Upload-Content-Type", "application/gzip"]] });
  const text = await response.text();
  const session = response.headers["location"] ?? "";
  if (response.status >= 400) throw readApiError(response.status, text, host, place, retryAfter(response) / 1000);
  // The token goes with what is sent there.
  if (URL.canParse(session) && new URL(session).host === host) return session;
  throw new CliError("UNAVAILABLE", `${host} does not say where the upload goes.`, { hint: "Does a proxy answer in its place?" });
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

/** Sends what begins at `offset` until all of it has arrived; resolves with the object where that was the last of it, as `total` says. */
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
    if (arrived < offset || arrived > offset + bytes.length) throw new Lost(`it has ${arrived} bytes of ${offset + bytes.length}.`);
    return undefined;
  };
  return withRetry(
    async (attempt) => {
      // What an attempt that failed has brought there is not known here.
      let stored = attempt > 1 ? await put(Buffer.alloc(0)) : undefined;
      while (!stored && (total !== undefined || arrived < offset + bytes.length)) {
        const before = arrived;
        stored = await put(bytes.subarray(arrived - offset));
        if (!stored && arrived === before) throw standsStill(session);
      }
      return stored;
    },
    { signal },
  );
}

function standsStill(session: string): CliError {
  const { host } = new URL(session);
  return new CliError("UNAVAILABLE", `${host} takes nothing of the upload.`, {
    hint: "Run the command again in a minute.",
    retryAfterSeconds: 0,
    details: { status: 308 },
  });
}

function readFailure(response: Response, text: string, session: string, place: Place): Error {
  const { status } = response;
  if (status === 404 || status === 410) return new Lost("it does not know of it any more.");
  return readApiError(status, text, new URL(session).host, place, retryAfter(response) / 1000);
}

/** The same bytes in pieces of one size, the last of which may be smaller. */
async function* chunksOf(source: AsyncIterable<Buffer>, size: number): AsyncGenerator<{ bytes: Buffer; isLast: boolean }> {
  let held: Buffer[] = [];
  let length = 0;
  for await (const piece of source) {
    held.push(piece);
    length += piece.length;
    // Held back until more comes, since the last one has to be said to be it.
    while (length > size) {
      const all = Buffer.concat(held);
      yield { bytes: all.subarray(0, size), isLast: false };
      held = [all.subarray(size)];
      length -= size;
    }
  }
  yield { bytes: Buffer.concat(held), isLast: true };
}
