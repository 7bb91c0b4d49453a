import type { ApiClient, ApiRequest } from "./api-client.ts";
import { CliError } from "../errors.ts";
import { pause, persist } from "./backoff.ts";
import { isMadeWhereMissing, missingRepository, type Repository } from "./repository.ts";

const REGISTRY = "https://artifactregistry.googleapis.com/v1";
/** Milliseconds between two looks at an operation. */
const PAUSE = 300;

/** Makes a repository of our own, or of gcloud's, where it is missing. Throws NOT_FOUND where another is. */
export async function ensureRepository(client: ApiClient, repository: Repository, signal: AbortSignal): Promise<void> {
  await persist(
    async () => {
      if (await isThere(client, repository)) return;
      if (!isMadeWhereMissing(repository)) throw missingRepository(repository);
      let operation = (await client.call(repositoryCreation(repository))) as { name: string; done?: boolean };
      while (!operation.done) {
        await pause(PAUSE, signal);
        operation = (await client.call({ method: "GET", url: `${REGISTRY}/${operation.name}` })) as typeof operation;
      }
    },
    // Somebody else makes it at the same moment.
    { signal, conflicts: 3 },
  );
}

export function planRepository(repository: Repository): ApiRequest[] {
  return [repositoryRequest(repository), ...(isMadeWhereMissing(repository) ? [repositoryCreation(repository)] : [])];
}

async function isThere(client: ApiClient, repository: Repository): Promise<boolean> {
  try {
    await client.call(repositoryRequest(repository));
    return true;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    // Who may push need not be allowed to look: the push will tell.
    if (error.code === "PERMISSION_DENIED" && "permission" in error.details) return true;
    if (error.code === "NOT_FOUND" && !("project" in error.details) && !("region" in error.details)) return false;
    throw error;
  }
}

function repositoryRequest({ location, project, name }: Repository): ApiRequest {
  return { method: "GET", url: `${REGISTRY}/projects/${project}/locations/${location}/repositories/${name}` };
}

function repositoryCreation({ location, project, name }: Repository): ApiRequest {
  return {
    method: "POST",
    url: `${REGISTRY}/projects/${project}/locations/${location}/repositories?repositoryId=${name}`,
    body: { format: "DOCKER" },
  };
}
