import { existsSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../../errors/cli-error.ts";
import type { BuildOptions, BuildResult } from "../cloud.ts";
import type { CloudContext } from "../cloud-context.ts";
import { buildError, FINAL_STATUSES, lostBuildError, readBuildResult, type Build } from "../messages/build.ts";
import { parseRepository } from "../repository.ts";
import { withRetry } from "../retry.ts";
import { defineVerb, type Verb } from "../verb.ts";
import { ensureRepository, planRepository } from "./artifact-registry.ts";
import { ensureBucket, planBucket, sourceBucket } from "./bucket.ts";
import { readBuildFlags } from "./build-flags.ts";
import { openBuildLog } from "../build-log.ts";
import { followLog } from "./build-log.ts";
import { requestLine, type ApiClient, type ApiRequest } from "./client.ts";
import { pollRequest } from "./poll-request.ts";
import type { ClientFor } from "./request-verb.ts";
import { uploadObject, uploadUrl } from "./upload.ts";

const CLOUD_BUILD = "https://cloudbuild.googleapis.com/v1";
/** How many of the newest builds are searched for one whose response got lost. */
const SEARCHED_BUILDS = 100;

type BuildContext = Pick<CloudContext, "terminal" | "signal">;

export function buildVerb(clientFor: ClientFor, context: BuildContext): Verb<BuildOptions, BuildResult> {
  return defineVerb({
    plan: (options) => planBuild(options).map(requestLine),
    run: (options) => build(clientFor(options), options, context),
  });
}

/** Builds a folder with its Dockerfile, or with buildpacks if it has none: uploads the source, and has Cloud Build build and push it. */
export async function build(client: ApiClient, options: BuildOptions, context: BuildContext): Promise<BuildResult> {
  const { signal } = context;
  // A flag that isn't understood fails before anything is done.
  readBuildFlags(options.gcloudFlags);
  const submitted = performance.now();
  const repository = parseRepository(options.image);
  if (repository) await ensureRepository(client, repository, options, signal);
  const source = await uploadSource(client, options, signal);
  const ended = await watchBuild(client, options, await startBuild(client, options, source, signal), context);
  return readBuildResult(ended, options.image, (performance.now() - submitted) / 1000);
}

export function planBuild(options: BuildOptions): ApiRequest[] {
  const repository = parseRepository(options.image);
  const target = { bucket: sourceBucket(options.project), object: "source/TIME-ID.tgz" };
  return [
    ...(repository ? planRepository(repository, options) : []),
    ...planBucket(options.project),
    { method: "POST", url: uploadUrl(target) },
    { method: "PUT", url: `${uploadUrl(target)}&upload_id=ID` },
    startRequest(options, { ...target, generation: "GENERATION" }),
  ];
}

interface StoredSource {
  readonly bucket: string;
  readonly object: string;
  readonly generation: string;
}

function buildsUrl({ project }: BuildOptions): string {
  return `${CLOUD_BUILD}/projects/${project}/locations/global/builds`;
}

/** The same steps as `gcloud builds submit --tag`, or as `--pack` for a source without a Dockerfile. */
function startRequest(options: BuildOptions, source: StoredSource): ApiRequest {
  const { image, directory, gcloudFlags } = options;
  const docker = { name: "gcr.io/cloud-builders/docker", args: ["build", "--network", "cloudbuild", "--no-cache", "-t", image, "."] };
  const pack = {
    name: "gcr.io/k8s-skaffold/pack",
    entrypoint: "pack",
    args: ["build", image, "--builder", "gcr.io/buildpacks/builder:latest", "--network", "cloudbuild"],
  };
  const steps = [existsSync(join(directory, "Dockerfile")) ? docker : pack];
  const body = { source: { storageSource: source }, steps, images: [image], ...readBuildFlags(gcloudFlags) };
  return { method: "POST", url: buildsUrl(options), body };
}

async function uploadSource(client: ApiClient, options: BuildOptions, signal: AbortSignal): Promise<StoredSource> {
  const bucket = await ensureBucket(client, options.project, signal);
  const object = `source/${Date.now() / 1000}-${crypto.randomUUID().replaceAll("-", "")}.tgz`;
  const { archiveSource } = await import("../source/archive.ts");
  const open = () => archiveSource(options.directory);
  const { generation } = await uploadObject(client, { bucket, object }, open, { place: options, signal });
  return { bucket, object, generation };
}

interface BuildList {
  readonly builds?: readonly Build[];
}

/** Starts exactly one build: if a response got lost, the build is found by its source, which no other build has. */
function startBuild(client: ApiClient, options: BuildOptions, source: StoredSource, signal: AbortSignal): Promise<Build> {
  return withRetry(
    async (attempt) => {
      const url = `${buildsUrl(options)}?pageSize=${SEARCHED_BUILDS}`;
      const { builds = [] }: BuildList = attempt > 1 ? await client.call({ method: "GET", url }) : {};
      const started = builds.find((known) => known.source?.storageSource?.object === source.object);
      if (started) return started;
      const { metadata } = await client.call<{ readonly metadata: { readonly build: Build } }>(startRequest(options, source));
      return metadata.build;
    },
    { signal },
  );
}

/** Waits until the build has ended. Throws BUILD_FAILED with the end of the log. */
async function watchBuild(client: ApiClient, options: BuildOptions, started: Build, { terminal, signal }: BuildContext): Promise<Build> {
  const log = openBuildLog(terminal, options.image, options.tell);
  const source = followLog(client, started, {
    onLine: log.add,
    onUnreadable() {
      const link = started.logUrl ? ` Build log: ${started.logUrl}` : "";
      if (!terminal.json && !terminal.quiet) terminal.warn(`Can't read the build log. The build is still running.${link}`);
    },
  });
  const check = async (latest: Build) => {
    if (FINAL_STATUSES.has(latest.status)) return latest;
    if (terminal.interactive && latest.status === "QUEUED") options.tell?.("Waiting for the build to start");
    await source.read();
    return undefined;
  };
  const polling = { signal, firstPauseMs: 200, maxPauseMs: 1000, known: started };
  const ended = await pollRequest(client, `${buildsUrl(options)}/${started.id}`, check, polling).catch((error: unknown) => {
    throw error instanceof CliError && error.code !== "INTERRUPTED" ? lostBuildError(started, error) : error;
  });
  await source.finish();
  if (ended.status === "SUCCESS") return ended;
  throw buildError(ended, log.fail());
}
