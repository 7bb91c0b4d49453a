import type { ApiClient, ApiRequest } from "./client.ts";
import { CliError } from "../../errors/cli-error.ts";
import { pause, withRetry } from "../retry.ts";
import type { BuildOptions } from "../cloud.ts";
import { isMadeWhereMissing, missingRepository, type Repository } from "../repository.ts";

const REGISTRY = "https://artifactregistry.googleapis.com/v1";
/** Milliseconds between two looks at an operation. */
const PAUSE = 300;

type Labelled = Pick<BuildOptions, "repositoryLabels">;

/** Makes a repository of our own, or of gcloud's, where it is missing. Throws NOT_FOUND where another is. */
export async function ensureRepository(client: ApiClient, repository: Repository, options: Labelled, signal: AbortSignal): Promise<void> {
  await withRetry(
    async () => {
      if (await isThere(client, repository)) return;
      if (!isMadeWhereMissing(repository)) throw missingRepository(repository);
      await createRepository(client, repository, signal, options);
    },
    // Somebody else makes it at the same moment.
    { signal, conflicts: 3 },
  );
}

export function planRepository(repository: Repository, options: Labelled): ApiRequest[] {
  return [repositoryRequest(repository), ...(isMadeWhereMissing(repository) ? [repositoryCreation(repository, options)] : [])];
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
    await pause(PAUSE, signal);
    operation = (await client.call({ method: "GET", url: `${REGISTRY}/${operation.name}` })) as typeof operation;
  }
}

async function isThere(client: ApiClient, repository: Repository): Promise<boolean> {
  try {
    await client.call(repositoryRequest(repository));
    return true;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    // Who may push need not be allowed to look: the push will tell.
    if (error.code === "PERMISSION_DENIED" && error.subject?.kind === "permission") return true;
    if (error.code === "NOT_FOUND" && error.subject?.kind !== "project" && error.subject?.kind !== "region") return false;
    throw error;
  }
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
