import { randomUUID } from "node:crypto";
import { ApiError } from "../server/errors.ts";
import { findProject } from "../state/projects.ts";
import type { Build, Project } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import { logObject } from "./build-log.ts";
import { parseBuildRequest } from "./build-request.ts";
import { substitute } from "./substitutions.ts";

type Builder = Pick<Runtime, "state" | "now">;

/** The Build message of a new build, with what Cloud Build fills in: https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds */
export function newBuild(builder: Builder, projectIdOrNumber: string, location: string, body: Readonly<Record<string, unknown>>): Build {
  const project = requireProject(builder, projectIdOrNumber);
  const { projectId, projectNumber } = project;
  const id = randomUUID();
  const asked = parseBuildRequest(body);
  const builtIn = { PROJECT_ID: projectId, PROJECT_NUMBER: projectNumber, BUILD_ID: id, LOCATION: location };
  const { steps, images } = substitute({ steps: asked.steps, images: asked.images }, asked.substitutions ?? {}, builtIn);

  const logsBucket = asked.logsBucket ?? `gs://${ensureLogsBucket(builder, projectId)}`;
  const log = logObject(logsBucket, id);
  if (!builder.state.buckets.get(log.bucket))
    throw new ApiError("INVALID_ARGUMENT", `invalid build: the logs bucket gs://${log.bucket} does not exist`);
  const { storageSource } = asked.source ?? {};
  return {
    name: `projects/${projectNumber}/locations/${location}/builds/${id}`,
    id,
    projectId,
    status: "QUEUED",
    createTime: new Date(builder.now()).toISOString(),
    source: asked.source,
    steps,
    images,
    artifacts: images.length > 0 ? { images } : undefined,
    tags: asked.tags,
    substitutions: asked.substitutions,
    timeout: asked.timeout,
    queueTtl: asked.queueTtl,
    options: { ...asked.options, logging: asked.options?.["logging"] ?? "LEGACY" },
    serviceAccount: asked.serviceAccount ?? defaultServiceAccount(project),
    sourceProvenance: storageSource ? { resolvedStorageSource: storageSource } : {},
    logsBucket,
    // Unlike Cloud Run: the log's own address, since no console shows this build.
    logUrl: `https://storage.googleapis.com/${log.bucket}/${log.name}`,
  };
}

/** The account that a project's builds run as, by its full name. */
export function defaultServiceAccount({ projectId, projectNumber }: Project): string {
  return `projects/${projectId}/serviceAccounts/${projectNumber}-compute@developer.gserviceaccount.com`;
}

export function requireProject({ state }: Pick<Runtime, "state">, idOrNumber: string): Project {
  const project = findProject(state, idOrNumber);
  if (!project) throw new ApiError("NOT_FOUND", "Requested entity was not found.");
  return project;
}

/** The bucket for the logs of builds that name none; made where it is missing. */
export function ensureLogsBucket({ state, now }: Builder, projectId: string): string {
  const { projectNumber } = requireProject({ state }, projectId);
  const name = `${projectNumber}.cloudbuild-logs.googleusercontent.com`;
  // Unlike Cloud Run: the bucket belongs to the project, and not to Google.
  if (!state.buckets.get(name))
    state.buckets.set(name, { name, project: projectId, projectNumber, location: "US", timeCreated: new Date(now()).toISOString() });
  return name;
}
