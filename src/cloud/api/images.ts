import { setTimeout as sleep } from "node:timers/promises";
import type { CloudContext } from "../cloud-context.ts";
import type { ApiClient, ApiRequest } from "./client.ts";
import { serviceUrl } from "../messages/knative-url.ts";
import { replaceService, serviceRead } from "./replace.ts";
import type { Cloud } from "../cloud.ts";
import type { Place } from "../names.ts";
import { inOrder, placeOf, type ImageName, type LabelOptions, type StoredImage } from "../images.ts";
import { readService, type KnativeService } from "../messages/knative-service.ts";
import { withLabels } from "../messages/labels.ts";
import type { Repository } from "../repository.ts";

type Images = Pick<Cloud, "setLabels" | "repository" | "images" | "deleteImage" | "deleteRepository">;

const REGISTRY = "https://artifactregistry.googleapis.com/v1";
/** Milliseconds between two looks at a deletion. */
const PAUSE = 500;

/** What is kept in Artifact Registry, and labels, by Google's APIs. */
export function createImages(client: (place: Place) => ApiClient, { signal }: Pick<CloudContext, "signal">): Images {
  const at = ({ project, location }: Repository) => client({ project, region: location });

  async function finish(api: ApiClient, request: ApiRequest): Promise<void> {
    let operation = (await api.call(request)) as { name: string; done?: boolean };
    while (!operation.done) {
      await sleep(PAUSE, undefined, { signal }).catch(() => signal.throwIfAborted());
      operation = (await api.call({ method: "GET", url: `${REGISTRY}/${operation.name}` })) as typeof operation;
    }
  }

  return {
    async setLabels(options) {
      const waiting = {
        condition: "Ready",
        signal,
        metadata: (existing: KnativeService) => withLabels(existing, options).metadata,
      } as const;
      const service = await replaceService(client(options), options, (existing) => withLabels(existing, options).spec, waiting);
      return readService(service, options);
    },
    async repository(options) {
      const { labels = {} } = (await at(options).call({ method: "GET", url: repositoryUrl(options) })) as {
        labels?: Record<string, string>;
      };
      return { labels };
    },
    async images(options) {
      const found: StoredImage[] = [];
      for (let next: string | undefined = ""; next !== undefined;) {
        const { dockerImages = [], nextPageToken } = (await at(options).call(imagesRead(options, next))) as {
          dockerImages?: { uri: string; tags?: string[] }[];
          nextPageToken?: string;
        };
        for (const { uri, tags = [] } of dockerImages) {
          const [image = "", digest = ""] = uri.split("@");
          found.push({ image, digest, tags });
        }
        next = nextPageToken || undefined;
      }
      return inOrder(found);
    },
    deleteImage: (options) => finish(at(placeOf(options.image)), imageDeletion(options)),
    deleteRepository: (options) => finish(at(options), { method: "DELETE", url: repositoryUrl(options) }),
  };
}

/** The requests of each step, in order. */
export const imageRequests = {
  setLabels: (options: LabelOptions): ApiRequest[] => [
    serviceRead(options),
    { method: "PUT", url: serviceUrl(options), body: withLabels({}, options) },
    serviceRead(options),
  ],
  repository: (options: Repository): ApiRequest[] => [{ method: "GET", url: repositoryUrl(options) }],
  images: (options: Repository): ApiRequest[] => [imagesRead(options)],
  deleteImage: (options: ImageName): ApiRequest[] => [imageDeletion(options)],
  deleteRepository: (options: Repository): ApiRequest[] => [{ method: "DELETE", url: repositoryUrl(options) }],
};

function repositoryUrl({ location, project, name }: Repository): string {
  return `${REGISTRY}/projects/${project}/locations/${location}/repositories/${name}`;
}

function imagesRead(repository: Repository, next = ""): ApiRequest {
  return {
    method: "GET",
    url: `${repositoryUrl(repository)}/dockerImages?pageSize=1000${next && `&pageToken=${encodeURIComponent(next)}`}`,
  };
}

/** With `force` its tags go along. */
function imageDeletion({ image }: ImageName): ApiRequest {
  const { path, digest, ...repository } = placeOf(image);
  return { method: "DELETE", url: `${repositoryUrl(repository)}/packages/${encodeURIComponent(path)}/versions/${digest}?force=true` };
}
