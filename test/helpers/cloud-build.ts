import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { create as createTar } from "tar";
import { expect, onTestFinished } from "vitest";
import { createCloudBuildApi } from "../../src/emulator/apis/cloudbuild.ts";
import { createStorageApi, createStorageXmlApi } from "../../src/emulator/apis/storage.ts";
import { createBuilds, type Builds } from "../../src/emulator/builds/builds.ts";
import type { State } from "../../src/emulator/state/state.ts";
import { insertObject } from "../../src/emulator/storage/objects.ts";
import { openTestState, PROJECT, PROJECT_NUMBER, serveApis, temporaryDirectory, type ApiServer, type Json } from "./api-server.ts";
import { createCopyEngine } from "./copy-engine.ts";

export const HOST = "cloudbuild.googleapis.com";
export const BUILDS = `/v1/projects/${PROJECT}/locations/global/builds`;
export const DOCKER = "gcr.io/cloud-builders/docker";
export const IMAGE = `gcr.io/${PROJECT}/hello`;

interface CloudBuild extends ApiServer {
  readonly state: State;
  readonly builds: Builds;
  readonly engine: ReturnType<typeof createCopyEngine>;
  /** Submits a Dockerfile as gcloud does; returns the new build. */
  submit(dockerfile: string, change?: Readonly<Record<string, unknown>>): Promise<Json>;
  finish(id: string): Promise<Json>;
  log(id: string): Promise<string>;
}

/** Serves Cloud Build and its storage, with the copy engine. */
export async function serveCloudBuild(state = openTestState()): Promise<CloudBuild> {
  const engine = createCopyEngine();
  const runtime = { state, engine, now: Date.now, log: (line: string) => expect.unreachable(line) };
  const builds = createBuilds(runtime);
  const server = await serveApis([createStorageApi(runtime), createStorageXmlApi(runtime), createCloudBuildApi({ state, builds })], state);
  onTestFinished(() => builds.close());
  builds.resume();
  return {
    ...server,
    state,
    builds,
    engine,
    async submit(dockerfile, change = {}) {
      const { json } = await server.request("POST", HOST, BUILDS, {
        body: {
          images: [IMAGE],
          source: await uploadSource(state, { Dockerfile: dockerfile, "index.js": "1" }),
          steps: [{ name: DOCKER, args: ["build", "--network", "cloudbuild", "--no-cache", "-t", IMAGE, "."] }],
          ...change,
        },
      });
      expect(json["error"]).toBeUndefined();
      return json["metadata"].build;
    },
    async finish(id) {
      const get = async () => (await server.request("GET", HOST, `${BUILDS}/${id}`)).json;
      await expect.poll(async () => (await get())["status"], { timeout: 5000, interval: 20 }).not.toMatch(/QUEUED|WORKING/);
      return get();
    },
    async log(id) {
      return (
        await server.request("GET", "storage.googleapis.com", `/${PROJECT_NUMBER}.cloudbuild-logs.googleusercontent.com/log-${id}.txt`)
      ).text;
    },
  };
}

/** Stores a source as `gcloud builds submit` does; returns the build's `source`. */
export async function uploadSource(state: State, files: Readonly<Record<string, string>>): Promise<object> {
  const folder = temporaryDirectory();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return storeSource(state, createTar({ gzip: true, cwd: folder }, ["."]));
}

export async function storeSource(state: State, bytes: AsyncIterable<Uint8Array>): Promise<object> {
  const bucket = `${PROJECT}_cloudbuild`;
  state.buckets.set(bucket, {
    name: bucket,
    project: PROJECT,
    projectNumber: PROJECT_NUMBER,
    location: "US",
    timeCreated: "2026-01-01T00:00:00Z",
  });
  const { name, generation } = await insertObject(
    { state, now: Date.now },
    { bucket, name: `source/${state.objects.list(`${bucket}/`).length + 1}.tgz`, contentType: "application/x-tar" },
    bytes,
  );
  return { storageSource: { bucket, object: name, generation } };
}
