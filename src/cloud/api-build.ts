import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import type { ApiClient, ApiRequest } from "./api-client.ts";
import { ENDED, readBuild, type Build } from "./build.ts";
import type { BuildOptions, BuildResult } from "./cloud.ts";
import { DEFAULT_REPOSITORY, missingRepository, parseRepository, type Repository } from "./repository.ts";

const STORAGE = "https://storage.googleapis.com";
const REGISTRY = "https://artifactregistry.googleapis.com/v1";
const CLOUD_BUILD = "https://cloudbuild.googleapis.com/v1";
/** Milliseconds between two looks at a build. */
const PAUSE = 500;

/** Builds a folder's Dockerfile: uploads the source, has Cloud Build build and push it, and shows the log as it grows. */
export async function buildByApi(
  client: ApiClient,
  options: BuildOptions,
  { terminal, signal }: Pick<Context, "terminal" | "signal">,
): Promise<BuildResult> {
  const submitted = performance.now();
  const repository = parseRepository(options.image);
  if (repository) await ensureRepository(client, repository, options, signal);
  const source = await upload(client, options);
  const { metadata } = (await client.call({ ...createRequest(options), body: buildBody(options, source) })) as {
    metadata: { build: Build };
  };
  let build = metadata.build;
  const log = logReader(client, build);
  const show = (text: string) => {
    if (text && !terminal.json) terminal.note(text.trimEnd());
  };
  while (!ENDED.has(build.status)) {
    await sleep(PAUSE, undefined, { signal }).catch(() => signal.throwIfAborted());
    show(await log());
    build = (await client.call({
      method: "GET",
      url: `${CLOUD_BUILD}/projects/${options.project}/locations/global/builds/${build.id}`,
    })) as Build;
  }
  show(await log());
  return readBuild(build, options.image, (performance.now() - submitted) / 1000);
}

/** The requests of a build, in order. */
export function planApiBuild(options: BuildOptions): ApiRequest[] {
  const repository = parseRepository(options.image);
  const bucket = bucketOf(options.project);
  return [
    ...(repository ? [repositoryRequest(repository)] : []),
    ...(repository?.name === DEFAULT_REPOSITORY ? [repositoryCreation(repository, options)] : []),
    { method: "GET", url: `${STORAGE}/storage/v1/b/${bucket}` },
    { method: "POST", url: `${STORAGE}/upload/storage/v1/b/${bucket}/o?uploadType=media&name=source/TIME-ID.tgz` },
    { ...createRequest(options), body: buildBody(options, { bucket, object: "source/TIME-ID.tgz", generation: "GENERATION" }) },
  ];
}

type Labelled = Pick<BuildOptions, "repositoryLabels">;

interface StoredSource {
  readonly bucket: string;
  readonly object: string;
  readonly generation: string;
}

function createRequest({ project }: BuildOptions): ApiRequest {
  return { method: "POST", url: `${CLOUD_BUILD}/projects/${project}/locations/global/builds` };
}

/** As `gcloud builds submit --tag` has it. */
function buildBody({ image }: BuildOptions, source: StoredSource) {
  const args = ["build", "--network", "cloudbuild", "--no-cache", "-t", image, "."];
  return { source: { storageSource: source }, steps: [{ name: "gcr.io/cloud-builders/docker", args }], images: [image] };
}

export function repositoryRequest({ location, project, name }: Repository): ApiRequest {
  return { method: "GET", url: `${REGISTRY}/projects/${project}/locations/${location}/repositories/${name}` };
}

export function repositoryCreation({ location, project, name }: Repository, { repositoryLabels: labels }: Labelled = {}): ApiRequest {
  return {
    method: "POST",
    url: `${REGISTRY}/projects/${project}/locations/${location}/repositories?repositoryId=${name}`,
    body: { format: "DOCKER", ...(labels && { labels }) },
  };
}

async function ensureRepository(client: ApiClient, repository: Repository, options: BuildOptions, signal: AbortSignal): Promise<void> {
  if (await found(client, repositoryRequest(repository))) return;
  if (repository.name !== DEFAULT_REPOSITORY) throw missingRepository(repository);
  await createRepository(client, repository, signal, options).catch(unlessThere);
}

/** Makes a repository for images, and waits until it is there. Throws as the client does. */
export async function createRepository(
  client: ApiClient,
  repository: Repository,
  signal: AbortSignal,
  options: Labelled = {},
): Promise<void> {
  let operation = (await client.call(repositoryCreation(repository, options))) as { name: string; done?: boolean };
  while (!operation.done) {
    await sleep(PAUSE, undefined, { signal }).catch(() => signal.throwIfAborted());
    operation = (await client.call({ method: "GET", url: `${REGISTRY}/${operation.name}` })) as typeof operation;
  }
}

async function found(client: ApiClient, request: ApiRequest): Promise<boolean> {
  try {
    await client.call(request);
    return true;
  } catch (error) {
    if (error instanceof CliError && error.code === "NOT_FOUND") return false;
    throw error;
  }
}

/** Somebody else made it at the same moment. */
function unlessThere(error: unknown): void {
  if (!(error instanceof CliError && error.code === "CONFLICT")) throw error;
}

/** The bucket that gcloud keeps sources in. A bucket's name may hold no colon, and not Google's name. */
function bucketOf(project: string): string {
  return `${project.replaceAll(/[:.]/g, "_").replaceAll("google", "elgoog")}_cloudbuild`;
}

async function upload(client: ApiClient, { directory, project }: BuildOptions): Promise<StoredSource> {
  const { archiveSource } = await import("./source-archive.ts");
  const bytes = await archiveSource(directory);
  const bucket = bucketOf(project);
  if (!(await found(client, { method: "GET", url: `${STORAGE}/storage/v1/b/${bucket}` }))) {
    await client.call({ method: "POST", url: `${STORAGE}/storage/v1/b?project=${project}`, body: { name: bucket } }).catch(unlessThere);
  }
  const object = `source/${Date.now() / 1000}-${crypto.randomUUID().replaceAll("-", "")}.tgz`;
  const url = `${STORAGE}/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(object)}`;
  const { generation } = (await client.call({ method: "POST", url, bytes, headers: [["Content-Type", "application/gzip"]] })) as {
    generation: string;
  };
  return { bucket, object, generation };
}

/** Gives what has been added to the log since it was last asked. Who may build need not be allowed to read the log: then there is none. */
function logReader(client: ApiClient, { id, logsBucket }: Build): () => Promise<string> {
  let offset = 0;
  return async () => {
    if (!logsBucket) return "";
    const url = `${STORAGE}/${logsBucket.replace(/^gs:\/\//, "")}/log-${id}.txt`;
    const response = await client.send({ method: "GET", url, headers: [["Range", `bytes=${offset}-`]] });
    const bytes = await response.bytes();
    if (response.status !== 206 && !(response.status === 200 && offset === 0)) return "";
    offset += bytes.length;
    return bytes.toString("utf8");
  };
}
