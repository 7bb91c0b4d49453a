import type { IncomingHttpHeaders } from "node:http";
import { HttpError } from "../server/errors.ts";
import { HttpResponse } from "../server/http-response.ts";
import type { Folder } from "./metadata.ts";

const ROOT = "/computeMetadata/v1/";

/** Responds to a request to the metadata server: https://cloud.google.com/compute/docs/metadata/querying-metadata */
export async function metadataResponse(
  metadata: Folder,
  { method, url, headers }: { readonly method: string; readonly url: URL; readonly headers: IncomingHttpHeaders },
): Promise<HttpResponse> {
  if (method !== "GET" && method !== "HEAD") return textResponse(405, "Method not allowed.");
  if (url.pathname === "/" || url.pathname === "/computeMetadata/")
    return textResponse(200, url.pathname === "/" ? "computeMetadata/\n" : "v1/\n");
  // Rejects web pages, and proxies that were tricked into sending a request.
  if (headers["metadata-flavor"] !== "Google") return textResponse(403, "Missing Metadata-Flavor:Google header.");
  if (headers["x-forwarded-for"] !== undefined) return textResponse(403, "Request contained X-Forwarded-For header, which is not allowed.");
  if (`${url.pathname}/` === ROOT) return redirectToFolder(url);
  if (!url.pathname.startsWith(ROOT)) return textResponse(404, "Not found.");

  const isFolder = url.pathname.endsWith("/");
  const names = url.pathname.slice(ROOT.length).split("/").filter(Boolean).map(decode);
  const value = find(metadata, names);
  if (value === undefined || (isFolder && !isFolderOf(value))) return textResponse(404, "Not found.");
  const { searchParams: query } = url;
  if (isFolderOf(value)) {
    if (query.get("recursive")?.toLowerCase() === "true") return jsonResponse(toJson(value));
    return isFolder ? textResponse(200, listNames(value)) : redirectToFolder(url);
  }
  try {
    const content = typeof value === "function" ? await value(query) : value;
    if (query.get("alt") === "json" || (typeof content === "object" && !Array.isArray(content))) return jsonResponse(content);
    return textResponse(200, Array.isArray(content) ? content.map((line: string) => `${line}\n`).join("") : String(content));
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return textResponse(error.toResponse().status, error.message);
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

function listNames(folder: Folder): string {
  return Object.entries(folder)
    .map(([name, value]) => `${name}${isFolderOf(value) ? "/" : ""}\n`)
    .join("");
}

/** A folder as JSON, without values that are created on request; accounts' addresses keep their spelling. */
function toJson(folder: Folder): object {
  const shown = Object.entries(folder).flatMap(([name, value]) => {
    if (typeof value === "function") return [];
    const key = name.includes("@") ? name : name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    return [[key, isFolderOf(value) ? toJson(value) : value]];
  });
  return Object.fromEntries(shown);
}

const HEADERS = { "metadata-flavor": "Google", server: "Metadata Server for Serverless" };

function textResponse(status: number, body: string): HttpResponse {
  return new HttpResponse(status, { ...HEADERS, "content-type": "application/text" }, body);
}

// No charset: Python's client compares the whole value.
function jsonResponse(value: unknown): HttpResponse {
  return new HttpResponse(200, { ...HEADERS, "content-type": "application/json" }, JSON.stringify(value));
}

function redirectToFolder(url: URL): HttpResponse {
  const location = `${url.pathname}/${url.search}`;
  return new HttpResponse(301, { ...HEADERS, location, "content-type": "application/text" }, `${location}\n`);
}
