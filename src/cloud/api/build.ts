import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CloudContext } from "../cloud-context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { ensureBucket, planBucket, sourceBucket } from "./bucket.ts";
import type { ApiClient, ApiRequest } from "./client.ts";
import { readBuildFlags } from "./build-flags.ts";
import { ensureRepository, planRepository } from "./repository.ts";
import { uploadObject, uploadUrl } from "./upload.ts";
import { pause, withRetry } from "../retry.ts";
import { followLog, readLogEnd } from "./build-log.ts";
import { buildFailed, ENDED, lostSight, readBuild, type Build } from "./build-message.ts";
import type { BuildOptions, BuildResult } from "../cloud.ts";
import { parseRepository } from "../repository.ts";

const CLOUD_BUILD = "https://cloudbuild.googleapis.com/v1";
/** Milliseconds between two looks at a build: at first, and at most. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 1000;
/** How often in a row a build may not be seen until it is given up: some minutes. */
const PATIENCE = 20;
/** How many builds are looked through for one that may have been started. */
const NEWEST = 100;

type Surroundings = Pick<CloudContext, "terminal" | "signal">;

/** Builds a folder by its Dockerfile, or by buildpacks where it has none: uploads the source, has Cloud Build build and push it, and shows the log as it grows. */
export async function buildByApi(client: ApiClient, options: BuildOptions, around: Surroundings): Promise<BuildResult> {
  const { signal } = around;
  // What is not understood is said before anything is done.
  readBuildFlags(options.gcloudFlags);
  const submitted = performance.now();
  const repository = parseRepository(options.image);
  if (repository) await ensureRepository(client, repository, options, signal);
  const source = await upload(client, options, signal);
  const build = await watch(client, options, await start(client, options, source, signal), around);
  return readBuild(build, options.image, (performance.now() - submitted) / 1000);
}

/** The requests of a build, in order. */
export function planApiBuild(options: BuildOptions): ApiRequest[] {
  const repository = parseRepository(options.image);
  const target = { bucket: sourceBucket(options.project), object: "source/TIME-ID.tgz" };
  return [
    ...(repository ? planRepository(repository, options) : []),
    ...planBucket(options.project),
    { method: "POST", url: uploadUrl(target) },
    { method: "PUT", url: `${uploadUrl(target)}&upload_id=ID` },
    { method: "POST", url: buildsUrl(options), body: buildBody(options, { ...target, generation: "GENERATION" }) },
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

/** As `gcloud builds submit --tag` has it, and as `--pack` has it for a source without a Dockerfile. */
function buildBody({ image, directory, gcloudFlags }: BuildOptions, source: StoredSource) {
  const docker = { name: "gcr.io/cloud-builders/docker", args: ["build", "--network", "cloudbuild", "--no-cache", "-t", image, "."] };
  const pack = {
    name: "gcr.io/k8s-skaffold/pack",
    entrypoint: "pack",
    args: ["build", image, "--builder", "gcr.io/buildpacks/builder:latest", "--network", "cloudbuild"],
  };
  const steps = [existsSync(join(directory, "Dockerfile")) ? docker : pack];
  return { source: { storageSource: source }, steps, images: [image], ...readBuildFlags(gcloudFlags) };
}

async function upload(client: ApiClient, options: BuildOptions, signal: AbortSignal): Promise<StoredSource> {
  const bucket = await ensureBucket(client, options.project, signal);
  const object = `source/${Date.now() / 1000}-${crypto.randomUUID().replaceAll("-", "")}.tgz`;
  const { archiveSource } = await import("../source/archive.ts");
  const open = () => archiveSource(options.directory);
  const { generation } = await uploadObject(client, { bucket, object }, open, { place: options, signal });
  return { bucket, object, generation };
}

/** Starts the build, and only one: where an answer got lost, it is looked for by its source, which no other build has. */
function start(client: ApiClient, options: BuildOptions, source: StoredSource, signal: AbortSignal): Promise<Build> {
  return withRetry(
    async (attempt) => {
      const url = buildsUrl(options);
      const { builds = [] } = (attempt > 1 ? await client.call({ method: "GET", url: `${url}?pageSize=${NEWEST}` }) : {}) as {
        readonly builds?: readonly Build[];
      };
      const known = builds.find((build) => build.source?.storageSource?.object === source.object);
      if (known) return known;
      const { metadata } = (await client.call({ method: "POST", url, body: buildBody(options, source) })) as {
        readonly metadata: { readonly build: Build };
      };
      return metadata.build;
    },
    { signal },
  );
}

/** Looks at the build until it has ended. Throws BUILD_FAILED with the end of the log. */
async function watch(client: ApiClient, options: BuildOptions, started: Build, { terminal, signal }: Surroundings): Promise<Build> {
  const talk = {
    show: (text: string) => terminal.note(text),
    miss: () =>
      terminal.warn(`The build's log may not be read here; the build itself goes on.${started.logUrl ? ` ${started.logUrl}` : ""}`),
  };
  const log = terminal.json || terminal.quiet ? undefined : followLog(client, started, talk);
  let build = started;
  for (let wait = FIRST_PAUSE; !ENDED.has(build.status); wait = Math.min(wait * 1.5, LONGEST_PAUSE)) {
    await pause(wait, signal);
    await log?.read();
    const look = () => client.call({ method: "GET", url: `${buildsUrl(options)}/${started.id}` });
    build = (await withRetry(look, { signal, failures: PATIENCE }).catch((error: unknown) => {
      throw error instanceof CliError && error.code !== "INTERRUPTED" ? lostSight(started, error) : error;
    })) as Build;
  }
  await log?.finish();
  if (build.status === "SUCCESS") return build;
  const end = await readLogEnd(client, build);
  if (end && terminal.quiet && !terminal.json) terminal.warn(`The end of the build's log:\n${end}`);
  throw buildFailed(build, end);
}
