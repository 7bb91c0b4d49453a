import { HttpResponse } from "../server/http-response.ts";
import type { StorageObject } from "../state/resources.ts";
import type { State } from "../state/state.ts";
import { parseRange } from "./byte-range.ts";
import { etag } from "./resource-messages.ts";
import { readObject } from "./objects.ts";

/** Replies with an object, or the part in a Range header; undefined if the range is unsatisfiable. */
export async function download(state: State, object: StorageObject, rangeHeader: string | undefined): Promise<HttpResponse | undefined> {
  const range = parseRange(rangeHeader, object.size);
  if (range === "unsatisfiable") return undefined;
  const headers = {
    "content-type": object.contentType,
    "accept-ranges": "bytes",
    "cache-control": "private, max-age=0",
    etag: `"${etag(object.generation)}"`,
    "last-modified": new Date(object.timeCreated).toUTCString(),
    "x-goog-generation": object.generation,
    "x-goog-hash": `crc32c=${object.crc32c},md5=${object.md5Hash}`,
    "x-goog-stored-content-length": String(object.size),
  };
  const body = await readObject(state, object, range);
  if (!range) return new HttpResponse(200, { ...headers, "content-length": String(object.size) }, body);
  const { start, end } = range;
  return new HttpResponse(
    206,
    { ...headers, "content-length": String(end - start + 1), "content-range": `bytes ${start}-${end}/${object.size}` },
    body,
  );
}
