import { CliError } from "../../errors/cli-error.ts";
import type { ApiClient, ApiRequest } from "./client.ts";
import { CLOUD_STORAGE } from "./upload.ts";
import { withRetry } from "../retry.ts";

/** The bucket that gcloud stores sources in. A bucket's name can't contain a colon or Google's name. */
export function sourceBucket(project: string): string {
  return `${project.replaceAll(/[:.]/g, "_").replaceAll("google", "elgoog")}_cloudbuild`;
}

/**
 * Creates the bucket for sources if it is missing. Anyone can guess its name and create it first, so it is looked for among the project's own
 * buckets: the source must not go to another project. Throws CONFLICT if another project has it.
 */
export async function ensureBucket(client: ApiClient, project: string, signal: AbortSignal): Promise<string> {
  const name = sourceBucket(project);
  await withRetry(
    async (attempt) => {
      if (await isOwnBucket(client, project, name)) return;
      try {
        await client.call(createRequest(project, name));
      } catch (error) {
        // Another client of this project can have created it a moment ago.
        if (!(error instanceof CliError && error.code === "CONFLICT") || attempt === 1) throw error;
        throw new CliError("CONFLICT", `Bucket ${name} belongs to another project, which could read your source.`, {
          hint: "To use another bucket, install gcloud and pass --via gcloud -- --gcs-source-staging-dir gs://BUCKET/source.",
          cause: error,
          details: { bucket: name },
        });
      }
    },
    { signal, conflicts: 2 },
  );
  return name;
}

export function planBucket(project: string): ApiRequest[] {
  const name = sourceBucket(project);
  return [searchRequest(project, name), createRequest(project, name)];
}

async function isOwnBucket(client: ApiClient, project: string, name: string): Promise<boolean> {
  const { items = [] } = (await client.call(searchRequest(project, name))) as { readonly items?: readonly { readonly name: string }[] };
  return items.some((bucket) => bucket.name === name);
}

function searchRequest(project: string, name: string): ApiRequest {
  return { method: "GET", url: `${CLOUD_STORAGE}/storage/v1/b?project=${encodeURIComponent(project)}&prefix=${name}` };
}

function createRequest(project: string, name: string): ApiRequest {
  return { method: "POST", url: `${CLOUD_STORAGE}/storage/v1/b?project=${encodeURIComponent(project)}`, body: { name } };
}
