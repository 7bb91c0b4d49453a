import type { ApiRequest } from "../server/api-request.ts";
import { HttpResponse } from "../server/http-response.ts";
import type { Runtime } from "../runtime.ts";
import { parseObject } from "../server/json.ts";
import { findBucket } from "./buckets.ts";
import { objectMessage } from "./resource-messages.ts";
import { parseMultipartRelated } from "./parse-multipart.ts";
import { insertObject, type ObjectTarget } from "./objects.ts";
import { cancelUpload, continueUpload, startUpload } from "./resumable-upload.ts";
import { StorageError } from "./storage-error.ts";

type StorageRuntime = Pick<Runtime, "state" | "now">;

/** `POST …/o?uploadType=media|multipart|resumable`: https://cloud.google.com/storage/docs/uploads-downloads */
export async function handleUpload(runtime: StorageRuntime, request: ApiRequest): Promise<unknown> {
  findBucket(runtime, request.param("bucket"));
  switch (request.query.get("uploadType")) {
    case "media":
      return objectMessage(
        await receive(request, (bytes) => insertObject(runtime, objectTarget(request, {}, request.headers["content-type"]), bytes)),
      );
    case "multipart":
      return objectMessage(
        await receive(request, async (bytes) => {
          const { metadata, contentType, media } = await parseMultipartRelated(request.headers["content-type"] ?? "", bytes);
          return insertObject(runtime, objectTarget(request, parseMetadata(metadata), contentType), media);
        }),
      );
    case "resumable": {
      const metadata = parseMetadata(await request.body.text());
      const id = startUpload(runtime, objectTarget(request, metadata, header(request, "x-upload-content-type")));
      const location = new URL(request.url);
      location.searchParams.set("upload_id", id);
      return new HttpResponse(200, { location: location.href, "x-guploader-uploadid": id });
    }
    default:
      throw new StorageError(400, "badRequest", "Uploads must be sent with uploadType media, multipart, or resumable.");
  }
}

/** `PUT …/o?uploadType=resumable&upload_id=…`: the next bytes, or a status request. */
export async function handleResume(runtime: StorageRuntime, request: ApiRequest): Promise<unknown> {
  const progress = await receive(request, (bytes) => continueUpload(runtime, uploadId(request), header(request, "content-range"), bytes));
  if ("object" in progress) return objectMessage(progress.object);
  return new HttpResponse(308, progress.received > 0 ? { range: `bytes=0-${progress.received - 1}` } : {});
}

/** `DELETE …/o?uploadType=resumable&upload_id=…` */
export function handleCancel({ state }: StorageRuntime, request: ApiRequest): HttpResponse {
  cancelUpload(state, uploadId(request));
  // https://cloud.google.com/storage/docs/performing-resumable-uploads#cancel-upload
  return new HttpResponse(499, {});
}

/** Passes the request's bytes to `work`. If it fails, the remaining bytes are discarded, so that the client gets to read the response. */
async function receive<T>(request: ApiRequest, work: (bytes: AsyncIterable<Buffer>) => Promise<T>): Promise<T> {
  const { stream } = request.body;
  const bytes = stream.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  try {
    return await work(bytes);
  } finally {
    await bytes.return?.();
    stream.resume();
  }
}

function objectTarget(request: ApiRequest, metadata: Readonly<Record<string, unknown>>, contentType: string | undefined): ObjectTarget {
  const { searchParams } = request.url;
  const name = searchParams.get("name") ?? metadata["name"];
  // https://cloud.google.com/storage/docs/objects#naming
  if (typeof name !== "string" || name === "") throw new StorageError(400, "required", "Required parameter: name");
  if (Buffer.byteLength(name) > 1024 || /[\r\n]/.test(name) || name === "." || name === "..") {
    throw new StorageError(400, "invalid", `Invalid object name: '${name.slice(0, 100)}'`);
  }
  // Unlike Cloud Run: only the content type of an object's metadata is stored.
  const declaredType = metadata["contentType"];
  return {
    bucket: request.param("bucket"),
    name,
    contentType: typeof declaredType === "string" ? declaredType : (contentType ?? "application/octet-stream"),
    ifGenerationMatch: searchParams.get("ifGenerationMatch") ?? undefined,
  };
}

function parseMetadata(text: string): Record<string, unknown> {
  const metadata = parseObject(text.trim() || "{}");
  if (metadata) return metadata;
  throw new StorageError(400, "parseError", "Parse Error");
}

function uploadId(request: ApiRequest): string {
  const id = request.query.get("upload_id");
  if (!id) throw new StorageError(400, "required", "Required parameter: upload_id");
  return id;
}

function header(request: ApiRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}
