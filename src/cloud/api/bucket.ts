import { CliError } from "../../errors/cli-error.ts";
import type { ApiClient, ApiRequest } from "./client.ts";
import { CLOUD_STORAGE } from "./upload.ts";
import { withRetry } from "../retry.ts";

/** The bucket that gcloud keeps sources in. A bucket's name may hold no colon, and not Google's name. */
export function sourceBucket(project: string): string {
  return `${project.replaceAll(/[:.]/g, "_").replaceAll("google", "elgoog")}_cloudbuild`;
}

/**
 * Makes the bucket for sources where it is missing. Its name can be guessed, so it is looked for among the project's own: nobody is to be sent the source
 * who has taken the name before. Throws CONFLICT where somebody has.
 */
export async function ensureBucket(client: ApiClient, project: string, signal: AbortSignal): Promise<string> {
  const name = sourceBucket(project);
  await withRetry(
    async (attempt) => {
      if (await isOwn(client, project, name)) return;
      try {
        await client.call(bucketCreation(project, name));
      } catch (error) {
        // Whoever has it may be somebody of this project, who was faster.
        if (!(error instanceof CliError && error.code === "CONFLICT") || attempt === 1) throw error;
        throw new CliError("CONFLICT", `The bucket ${name} belongs to another project, which would see the source.`, {
          hint: "Build with a bucket of your own: gcloud builds submit --gcs-source-staging-dir gs://BUCKET/source",
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
  return [bucketSearch(project, name), bucketCreation(project, name)];
}

async function isOwn(client: ApiClient, project: string, name: string): Promise<boolean> {
  const { items = [] } = (await client.call(bucketSearch(project, name))) as { readonly items?: readonly { readonly name: string }[] };
  return items.some((bucket) => bucket.name === name);
}

function bucketSearch(project: string, name: string): ApiRequest {
  return { method: "GET", url: `${CLOUD_STORAGE}/storage/v1/b?project=${encodeURIComponent(project)}&prefix=${name}` };
}

function bucketCreation(project: string, name: string): ApiRequest {
  return { method: "POST", url: `${CLOUD_STORAGE}/storage/v1/b?project=${encodeURIComponent(project)}`, body: { name } };
}
