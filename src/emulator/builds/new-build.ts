import { randomUUID } from "node:crypto";
import { invalidArgument } from "../server/errors.ts";
import { requireProject } from "../state/projects.ts";
import type { Build, Project } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import { logObject } from "./build-log.ts";
import { parseBuildRequest } from "./build-request.ts";
import { substitute } from "./substitutions.ts";

type BuildsRuntime = Pick<Runtime, "state" | "now">;

/** https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds with the fields that Cloud Build fills in */
export function newBuild(
  runtime: BuildsRuntime,
  projectIdOrNumber: string,
  location: string,
  body: Readonly<Record<string, unknown>>,
): Build {
  const project = requireProject(runtime.state, projectIdOrNumber);
  const { projectId, projectNumber } = project;
  const id = randomUUID();
  const request = parseBuildRequest(body);
  const builtIn = { PROJECT_ID: projectId, PROJECT_NUMBER: projectNumber, BUILD_ID: id, LOCATION: location };
  const { steps, images } = substitute({ steps: request.steps, images: request.images }, request.substitutions ?? {}, builtIn);

  const logsBucket = request.logsBucket ?? `gs://${ensureLogsBucket(runtime, projectId)}`;
  const log = logObject(logsBucket, id);
  if (!runtime.state.buckets.get(log.bucket)) throw invalidArgument(`invalid build: the logs bucket gs://${log.bucket} does not exist`);
  const { storageSource } = request.source ?? {};
  return {
    name: `projects/${projectNumber}/locations/${location}/builds/${id}`,
    id,
    projectId,
    status: "QUEUED",
    createTime: new Date(runtime.now()).toISOString(),
    ...request,
    steps,
    images,
    artifacts: images.length > 0 ? { images } : undefined,
    options: { ...request.options, logging: request.options?.["logging"] ?? "LEGACY" },
    serviceAccount: request.serviceAccount ?? defaultServiceAccount(project),
    sourceProvenance: storageSource ? { resolvedStorageSource: storageSource } : {},
    logsBucket,
    // Unlike Cloud Run: a build's logUrl points to the log itself, since no console shows the build.
    logUrl: `https://storage.googleapis.com/${log.bucket}/${log.name}`,
  };
}

/** The full name of the service account that a project's builds run as. */
export function defaultServiceAccount({ projectId, projectNumber }: Project): string {
  return `projects/${projectId}/serviceAccounts/${projectNumber}-compute@developer.gserviceaccount.com`;
}

/** The default bucket for build logs, which is created if missing. */
export function ensureLogsBucket({ state, now }: BuildsRuntime, projectId: string): string {
  const { projectNumber } = requireProject(state, projectId);
  const name = `${projectNumber}.cloudbuild-logs.googleusercontent.com`;
  // Unlike Cloud Run: the logs bucket belongs to the project, not to Google.
  if (!state.buckets.get(name))
    state.buckets.set(name, { name, project: projectId, projectNumber, location: "US", timeCreated: new Date(now()).toISOString() });
  return name;
}
