import type { ApiRequest } from "../server/api-request.ts";
import { ApiError } from "../server/errors.ts";
import type { Api, Route } from "../server/router.ts";
import { HttpResponse } from "../server/http-response.ts";
import type { Runtime } from "../runtime.ts";
import { removeOrphanedBlobs } from "../storage/blobs.ts";
import { deleteBucket, findBucket, insertBucket } from "../storage/buckets.ts";
import { download } from "../storage/download.ts";
import { listPage } from "../storage/pagination.ts";
import { bucketMessage, objectMessage } from "../storage/resource-messages.ts";
import { deleteObject, findObject } from "../storage/objects.ts";
import { removeExpiredUploads } from "../storage/resumable-upload.ts";
import { StorageError, XmlStorageError } from "../storage/storage-error.ts";
import { handleCancel, handleResume, handleUpload } from "../storage/upload.ts";

type StorageRuntime = Pick<Runtime, "state" | "now">;

/** Cloud Storage's JSON API: https://cloud.google.com/storage/docs/json_api/v1. Removes what a crash left of unfinished uploads. */
export function createStorageApi(storage: StorageRuntime): Api {
  removeExpiredUploads(storage);
  removeOrphanedBlobs(storage.state);

  const bucketRoute = (permission: string, handle: Route["handle"]): Route => ({
    handle,
    permission,
    resource: (request) => `projects/${findBucket(storage, request.param("bucket")).project}`,
  });
  const projectRoute = (permission: string, handle: Route["handle"]): Route => ({
    handle,
    permission,
    resource: (request) => `projects/${projectOf(request)}`,
  });
  const get = bucketRoute("storage.objects.get", (request) => getObject(storage, request));
  const insert = bucketRoute("storage.objects.create", (request) => handleUpload(storage, request));
  // As at Google, anyone who knows an upload's id can continue it.
  const resumable: Route = { public: true, handle: (request) => handleResume(storage, request) };

  return {
    hosts: ["storage.googleapis.com", "www.googleapis.com"],
    routes: {
      "GET /storage/v1/b": projectRoute("storage.buckets.list", (request) => listBuckets(storage, request)),
      "POST /storage/v1/b": projectRoute("storage.buckets.create", (request) => createBucket(storage, request)),
      "GET /storage/v1/b/{bucket}": bucketRoute("storage.buckets.get", (request) =>
        bucketMessage(findBucket(storage, request.param("bucket"))),
      ),
      "DELETE /storage/v1/b/{bucket}": bucketRoute("storage.buckets.delete", (request) => {
        deleteBucket(storage, request.param("bucket"));
        return new HttpResponse(204, {});
      }),
      "GET /storage/v1/b/{bucket}/o": bucketRoute("storage.objects.list", (request) => listObjects(storage, request)),
      "GET /storage/v1/b/{bucket}/o/{object}": get,
      "GET /download/storage/v1/b/{bucket}/o/{object}": get,
      "DELETE /storage/v1/b/{bucket}/o/{object}": bucketRoute("storage.objects.delete", (request) => {
        deleteObject(
          storage.state,
          findObject(storage.state, request.param("bucket"), request.param("object"), request.query.get("generation")),
        );
        return new HttpResponse(204, {});
      }),
      "POST /upload/storage/v1/b/{bucket}/o": insert,
      "PUT /upload/storage/v1/b/{bucket}/o": resumable,
      "DELETE /upload/storage/v1/b/{bucket}/o": { public: true, handle: (request) => handleCancel(storage, request) },
      // gcloud uses this path for files larger than 5 MiB.
      "POST /resumable/upload/storage/v1/b/{bucket}/o": insert,
      "PUT /resumable/upload/storage/v1/b/{bucket}/o": resumable,
      // Without this, the XML API would take the paths of missing JSON methods for objects' paths.
      "GET /storage/v1/{path=**}": {
        public: true,
        handle({ host, url }) {
          throw new ApiError("UNIMPLEMENTED", `The emulator doesn't support GET https://${host}${url.pathname}.`);
        },
      },
    },
  };
}

/** The only method of Cloud Storage's XML API that gcloud uses, for build logs. It must follow the JSON API, whose paths it overlaps. */
export function createStorageXmlApi({ state }: Pick<Runtime, "state">): Api {
  const getXmlObject = async (request: ApiRequest): Promise<HttpResponse> => {
    const object = state.objects.get(`${request.param("bucket")}/${request.param("object")}`);
    if (!object) throw new XmlStorageError(404, "NoSuchKey", "The specified key does not exist.");
    const reply = await download(state, object, request.headers.range);
    if (!reply) throw new XmlStorageError(416, "InvalidRange", "The requested range cannot be satisfied.");
    return reply;
  };
  const resource = (request: ApiRequest): string => {
    const bucket = state.buckets.get(request.param("bucket"));
    if (!bucket) throw new XmlStorageError(404, "NoSuchBucket", "The specified bucket does not exist.");
    return `projects/${bucket.project}`;
  };
  return {
    hosts: ["storage.googleapis.com"],
    routes: { "GET /{bucket}/{object=**}": { handle: getXmlObject, permission: "storage.objects.get", resource } },
  };
}

function projectOf({ query }: ApiRequest): string {
  const project = query.get("project");
  if (!project) throw new StorageError(400, "required", "Required parameter: project");
  return project;
}

function listBuckets({ state }: StorageRuntime, { query }: ApiRequest): object {
  const project = query.get("project");
  const buckets = state.buckets.list().filter((bucket) => bucket.project === project || bucket.projectNumber === project);
  const { items, nextPageToken } = listPage(buckets, query);
  return { kind: "storage#buckets", nextPageToken, items: items.map(bucketMessage) };
}

async function createBucket(storage: StorageRuntime, request: ApiRequest): Promise<object> {
  const { name, location } = await request.body.json();
  if (typeof name !== "string" || name === "") throw new StorageError(400, "required", "Required");
  return bucketMessage(insertBucket(storage, projectOf(request), name, typeof location === "string" ? location : "US"));
}

function listObjects({ state }: StorageRuntime, request: ApiRequest): object {
  const bucket = request.param("bucket");
  const { items, prefixes, nextPageToken } = listPage(state.objects.list(`${bucket}/`), request.query);
  return { kind: "storage#objects", nextPageToken, ...(prefixes.length > 0 && { prefixes }), items: items.map(objectMessage) };
}

async function getObject({ state }: StorageRuntime, request: ApiRequest): Promise<unknown> {
  const { searchParams } = request.url;
  const object = findObject(state, request.param("bucket"), request.param("object"), searchParams.get("generation"));
  if (searchParams.get("alt") !== "media") return objectMessage(object);
  const reply = await download(state, object, request.headers.range);
  if (!reply) throw new StorageError(416, "requestedRangeNotSatisfiable", "Request range not satisfiable");
  return reply;
}
