import { findProject } from "../state/projects.ts";
import type { Bucket } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import { bucketNotFound } from "./objects.ts";
import { StorageError } from "./storage-error.ts";

export function insertBucket(
  { state, now }: Pick<Runtime, "state" | "now">,
  projectIdOrNumber: string,
  name: string,
  location: string,
): Bucket {
  const project = findProject(state, projectIdOrNumber);
  if (!project) throw new StorageError(400, "invalid", `Unknown project id: ${projectIdOrNumber}`);
  // https://cloud.google.com/storage/docs/buckets#naming
  if (!/^[a-z0-9][a-z0-9_.-]{1,220}[a-z0-9]$/.test(name) || name.split(".").some((label) => label === "" || label.length > 63)) {
    throw new StorageError(400, "invalid", `Invalid bucket name: '${name}'`);
  }
  const existing = state.buckets.get(name);
  if (existing) {
    const message =
      existing.project === project.projectId
        ? "Your previous request to create the named bucket succeeded and you already own it."
        : "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.";
    throw new StorageError(409, "conflict", message);
  }
  const { projectId, projectNumber } = project;
  const bucket = { name, project: projectId, projectNumber, location: location.toUpperCase(), timeCreated: new Date(now()).toISOString() };
  state.buckets.set(name, bucket);
  return bucket;
}

export function findBucket({ state }: Pick<Runtime, "state">, name: string): Bucket {
  const bucket = state.buckets.get(name);
  if (!bucket) throw bucketNotFound();
  return bucket;
}

export function deleteBucket({ state }: Pick<Runtime, "state">, name: string): void {
  const bucket = findBucket({ state }, name);
  if (state.objects.list(`${name}/`).length > 0) throw new StorageError(409, "conflict", "The bucket you tried to delete is not empty.");
  state.buckets.delete(bucket.name);
}
