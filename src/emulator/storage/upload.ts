import type { Call } from "../server/call.ts";
import { param } from "../server/call.ts";
import { Reply } from "../server/reply.ts";
import type { Runtime } from "../runtime.ts";
import { findBucket } from "./buckets.ts";
import { objectMessage } from "./messages.ts";
import { readRelated } from "./multipart.ts";
import { insertObject, type ObjectTarget } from "./objects.ts";
import { cancelUpload, continueUpload, startUpload } from "./resumable.ts";
import { StorageError } from "./storage-error.ts";

type Storage = Pick<Runtime, "state" | "now">;

/** `POST …/o?uploadType=media|multipart|resumable`: https://cloud.google.com/storage/docs/uploads-downloads */
export async function upload(storage: Storage, call: Call): Promise<unknown> {
  findBucket(storage, param(call, "bucket"));
  switch (call.url.searchParams.get("uploadType")) {
    case "media":
      return objectMessage(await receive(call, (bytes) => insertObject(storage, target(call, {}, call.headers["content-type"]), bytes)));
    case "multipart":
      return objectMessage(
        await receive(call, async (bytes) => {
          const { metadata, contentType, media } = await readRelated(call.headers["content-type"] ?? "", bytes);
          return insertObject(storage, target(call, parseMetadata(metadata), contentType), media);
        }),
      );
    case "resumable": {
      const metadata = parseMetadata(await call.body.text());
      const id = startUpload(storage, target(call, metadata, header(call, "x-upload-content-type")));
      const location = new URL(call.url);
      location.searchParams.set("upload_id", id);
      return new Reply(200, { location: location.href, "x-guploader-uploadid": id });
    }
    default:
      throw new StorageError(400, "badRequest", "Uploads must be sent with uploadType media, multipart or resumable.");
  }
}

/** `PUT …/o?uploadType=resumable&upload_id=…`: the next bytes, or the question how many have arrived. */
export async function resume(storage: Storage, call: Call): Promise<unknown> {
  const progress = await receive(call, (bytes) => continueUpload(storage, uploadId(call), header(call, "content-range"), bytes));
  if ("object" in progress) return objectMessage(progress.object);
  return new Reply(308, progress.received > 0 ? { range: `bytes=0-${progress.received - 1}` } : {});
}

/** `DELETE …/o?uploadType=resumable&upload_id=…` */
export function cancel({ state }: Storage, call: Call): Reply {
  cancelUpload(state, uploadId(call));
  // https://cloud.google.com/storage/docs/performing-resumable-uploads#cancel-upload
  return new Reply(499, {});
}

/** Gives the request's bytes to `work`; where that fails, the rest of them goes nowhere, so that the client comes to read the answer. */
async function receive<T>(call: Call, work: (bytes: AsyncIterable<Buffer>) => Promise<T>): Promise<T> {
  const { stream } = call.body;
  const bytes = stream.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  try {
    return await work(bytes);
  } finally {
    await bytes.return?.();
    stream.resume();
  }
}

function target(call: Call, metadata: Readonly<Record<string, unknown>>, contentType: string | undefined): ObjectTarget {
  const { searchParams } = call.url;
  const name = searchParams.get("name") ?? metadata["name"];
  // https://cloud.google.com/storage/docs/objects#naming
  if (typeof name !== "string" || name === "") throw new StorageError(400, "required", "Required parameter: name");
  if (Buffer.byteLength(name) > 1024 || /[\r\n]/.test(name) || name === "." || name === "..") {
    throw new StorageError(400, "invalid", `Invalid object name: '${name.slice(0, 100)}'`);
  }
  // Unlike Cloud Run: of an object's metadata only the content type is kept.
  const said = metadata["contentType"];
  return {
    bucket: param(call, "bucket"),
    name,
    contentType: typeof said === "string" ? said : (contentType ?? "application/octet-stream"),
    ifGenerationMatch: searchParams.get("ifGenerationMatch") ?? undefined,
  };
}

function parseMetadata(text: string): Record<string, unknown> {
  try {
    const metadata: unknown = JSON.parse(text.trim() || "{}");
    if (typeof metadata === "object" && metadata !== null) return metadata as Record<string, unknown>;
  } catch {
    // Answered below, like JSON that is no object.
  }
  throw new StorageError(400, "parseError", "Parse Error");
}

function uploadId(call: Call): string {
  const id = call.url.searchParams.get("upload_id");
  if (!id) throw new StorageError(400, "required", "Required parameter: upload_id");
  return id;
}

function header(call: Call, name: string): string | undefined {
  const value = call.headers[name];
  return typeof value === "string" ? value : undefined;
}
