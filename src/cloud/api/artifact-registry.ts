import { CliError } from "../../errors/cli-error.ts";
import type { BuildOptions } from "../cloud.ts";
import { sortImages, parseImageName, type ImageName } from "../images.ts";
import { isCreatedOnDemand, repositoryNotFound, type Repository } from "../repository.ts";
import { withRetry } from "../retry.ts";
import { defineVerb } from "../verb.ts";
import { requestLine, type ApiClient, type ApiRequest } from "./client.ts";
import { listAll } from "./list-all.ts";
import { runOperation } from "./poll-request.ts";
import { requestVerb, type ClientFor } from "./request-verb.ts";

const ARTIFACT_REGISTRY = "https://artifactregistry.googleapis.com/v1";

export function artifactRegistryVerbs(clientFor: ClientFor, signal: AbortSignal) {
  return {
    repository: requestVerb(clientFor, {
      request: repositoryRequest,
      read: ({ labels = {} }: { readonly labels?: Readonly<Record<string, string>> }) => ({ labels }),
    }),
    images: defineVerb({
      plan: (options: Repository) => [requestLine(imagesRequest(options))],
      async run(options) {
        const images = await listAll<ImageMessage>(clientFor(options), "dockerImages", (token) => imagesRequest(options, token));
        return sortImages(
          images.map(({ uri, tags = [] }) => {
            const [image = "", digest = ""] = uri.split("@");
            return { image, digest, tags };
          }),
        );
      },
    }),
    deleteImage: defineVerb({
      plan: (options: ImageName) => [requestLine(deleteImageRequest(options))],
      run: (options) => runOperation(clientFor(parseImageName(options.image)), deleteImageRequest(options), signal),
    }),
    deleteRepository: defineVerb({
      plan: (options: Repository) => [requestLine(deleteRepositoryRequest(options))],
      run: (options) => runOperation(clientFor(options), deleteRepositoryRequest(options), signal),
    }),
  };
}

type Labeled = Pick<BuildOptions, "repositoryLabels">;

interface ImageMessage {
  readonly uri: string;
  readonly tags?: readonly string[];
}

/** Creates a repository that this tool or gcloud names, if it is missing. Throws NOT_FOUND if any other one is. */
export async function ensureRepository(client: ApiClient, repository: Repository, options: Labeled, signal: AbortSignal): Promise<void> {
  await withRetry(
    async () => {
      if (await repositoryExists(client, repository)) return;
      if (!isCreatedOnDemand(repository)) throw repositoryNotFound(repository);
      await createRepository(client, repository, signal, options);
    },
    // Another client can create it at the same moment.
    { signal, conflicts: 3 },
  );
}

export function planRepository(repository: Repository, options: Labeled): ApiRequest[] {
  return [repositoryRequest(repository), ...(isCreatedOnDemand(repository) ? [createRepositoryRequest(repository, options)] : [])];
}

export function createRepository(client: ApiClient, repository: Repository, signal: AbortSignal, options: Labeled = {}): Promise<void> {
  return runOperation(client, createRepositoryRequest(repository, options), signal);
}

async function repositoryExists(client: ApiClient, repository: Repository): Promise<boolean> {
  try {
    await client.call(repositoryRequest(repository));
    return true;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    // An account that can push to a repository need not be able to read it; the push finds out.
    if (error.code === "PERMISSION_DENIED" && error.subject?.kind === "permission") return true;
    if (error.code === "NOT_FOUND" && error.subject?.kind !== "project" && error.subject?.kind !== "region") return false;
    throw error;
  }
}

export function repositoryRequest(repository: Repository): ApiRequest {
  return { method: "GET", url: repositoryUrl(repository) };
}

export function createRepositoryRequest({ location, project, name }: Repository, { repositoryLabels: labels }: Labeled = {}): ApiRequest {
  return {
    method: "POST",
    url: `${ARTIFACT_REGISTRY}/projects/${project}/locations/${location}/repositories?repositoryId=${name}`,
    body: { format: "DOCKER", ...(labels && { labels }) },
  };
}

function deleteRepositoryRequest(repository: Repository): ApiRequest {
  return { method: "DELETE", url: repositoryUrl(repository) };
}

function imagesRequest(repository: Repository, pageToken = ""): ApiRequest {
  const page = pageToken && `&pageToken=${encodeURIComponent(pageToken)}`;
  return { method: "GET", url: `${repositoryUrl(repository)}/dockerImages?pageSize=1000${page}` };
}

/** `force` deletes the image's tags, too. */
function deleteImageRequest({ image }: ImageName): ApiRequest {
  const { path, digest, ...repository } = parseImageName(image);
  return { method: "DELETE", url: `${repositoryUrl(repository)}/packages/${encodeURIComponent(path)}/versions/${digest}?force=true` };
}

function repositoryUrl({ location, project, name }: Repository): string {
  return `${ARTIFACT_REGISTRY}/projects/${project}/locations/${location}/repositories/${name}`;
}
