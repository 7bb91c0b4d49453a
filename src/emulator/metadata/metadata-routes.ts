import type { IncomingHttpHeaders } from "node:http";
import { HttpError } from "../server/errors.ts";
import { HttpResponse } from "../server/http-response.ts";
import type { Folder } from "./metadata.ts";

const ROOT = "/computeMetadata/v1/";

/** Responds to a request to the metadata server: https://cloud.google.com/compute/docs/metadata/querying-metadata */
export async function answerMetadata(
  metadata: Folder,
  { method, url, headers }: { readonly method: string; readonly url: URL; readonly headers: IncomingHttpHeaders },
): Promise<HttpResponse> {
  if (method !== "GET" && method !== "HEAD") return text(405, "Method not allowed.");
  if (url.pathname === "/" || url.pathname === "/computeMetadata/") return text(200, url.pathname === "/" ? "computeMetadata/\n" : "v1/\n");
  // Rejects web pages, and proxies that were tricked into sending a request.
  if (headers["metadata-flavor"] !== "Google") return text(403, "Missing Metadata-Flavor:Google header.");
  if (headers["x-forwarded-for"] !== undefined) return text(403, "Request contained X-Forwarded-For header, which is not allowed.");
  if (`${url.pathname}/` === ROOT) return moved(url);
  if (!url.pathname.startsWith(ROOT)) return text(404, "Not found.");

  const isFolder = url.pathname.endsWith("/");
  const names = url.pathname.slice(ROOT.length).split("/").filter(Boolean).map(decode);
  const found = find(metadata, names);
  if (found === undefined || (isFolder && !isFolderOf(found))) return text(404, "Not found.");
  const { searchParams: query } = url;
  if (isFolderOf(found)) {
    if (query.get("recursive")?.toLowerCase() === "true") return json(show(found));
    return isFolder ? text(200, list(found)) : moved(url);
  }
  try {
    const value = typeof found === "function" ? await found(query) : found;
    if (query.get("alt") === "json" || (typeof value === "object" && !Array.isArray(value))) return json(value);
    return text(200, Array.isArray(value) ? value.map((line: string) => `${line}\n`).join("") : String(value));
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return text(error.toResponse().status, error.message);
  }
}

type Value = Folder[string];

function find(metadata: Folder, names: readonly string[]): Value | undefined {
  let found: Value | undefined = metadata;
  for (const name of names) found = found !== undefined && isFolderOf(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  return found;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function isFolderOf(value: Value): value is Folder {
  return typeof value === "object" && !Array.isArray(value);
}

function list(folder: Folder): string {
  return Object.entries(folder)
    .map(([name, value]) => `${name}${isFolderOf(value) ? "/" : ""}\n`)
    .join("");
}

/** A folder as JSON, without values that are created on request; accounts' addresses keep their spelling. */
function show(folder: Folder): object {
  const shown = Object.entries(folder).flatMap(([name, value]) => {
    if (typeof value === "function") return [];
    const key = name.includes("@") ? name : name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    return [[key, isFolderOf(value) ? show(value) : value]];
  });
  return Object.fromEntries(shown);
}

const HEADERS = { "metadata-flavor": "Google", server: "Metadata Server for Serverless" };

function text(status: number, body: string): HttpResponse {
  return new HttpResponse(status, { ...HEADERS, "content-type": "application/text" }, body);
}

// No charset: Python's client compares the whole value.
function json(value: unknown): HttpResponse {
  return new HttpResponse(200, { ...HEADERS, "content-type": "application/json" }, JSON.stringify(value));
}

function moved(url: URL): HttpResponse {
  const location = `${url.pathname}/${url.search}`;
  return new HttpResponse(301, { ...HEADERS, location, "content-type": "application/text" }, `${location}\n`);
}
