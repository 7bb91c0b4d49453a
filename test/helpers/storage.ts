import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createStorageApi, createStorageXmlApi } from "../../src/emulator/apis/storage.ts";
import type { State } from "../../src/emulator/state/state.ts";
import { openTestState, PROJECT, PROJECT_NUMBER, serveApis, type ApiServer } from "./api-server.ts";

export const HOST = "storage.googleapis.com";

/** Serves Cloud Storage with one bucket, `stuff`. */
export async function serveBucket(state = openTestState()): Promise<ApiServer & { readonly state: State }> {
  const storage = { state, now: Date.now };
  state.buckets.set("stuff", {
    name: "stuff",
    project: PROJECT,
    projectNumber: PROJECT_NUMBER,
    location: "US",
    timeCreated: "2026-01-01T00:00:00Z",
  });
  return { ...(await serveApis([createStorageApi(storage), createStorageXmlApi(storage)], state)), state };
}

/** Uploads an object with a simple upload. */
export function put(server: ApiServer, name: string, body: string | Buffer, query = ""): ReturnType<ApiServer["request"]> {
  return server.request("POST", HOST, `/upload/storage/v1/b/stuff/o?uploadType=media&name=${encodeURIComponent(name)}${query}`, {
    body,
    headers: { "content-type": "text/plain" },
  });
}

/** The files with the bytes of objects and of unfinished uploads. */
export const blobs = (state: State): string[] => readdirSync(join(state.directory, "objects"));
