import type { Cloud } from "../cloud.ts";
import type { Gcloud } from "./process.ts";
import { inOrder, placeOf, registryOf, type ImageName, type LabelOptions, type StoredImage } from "../images.ts";
import { readService } from "../messages/knative-service.ts";
import type { Repository } from "../repository.ts";

type Images = Pick<Cloud, "setLabels" | "repository" | "images" | "deleteImage" | "deleteRepository">;

/** What is kept in Artifact Registry, and labels, by gcloud. */
export function createImages(gcloud: Gcloud): Images {
  return {
    setLabels: async (options) => readService(JSON.parse(await gcloud(labelsLine(options))), options),
    async repository(options) {
      const { labels = {} } = JSON.parse(await gcloud(repositoryLine("describe", options), { isProbe: true })) as {
        labels?: Record<string, string>;
      };
      return { labels };
    },
    images: async (options) => inOrder((JSON.parse(await gcloud(listLine(options), { isProbe: true })) as Listed[]).map(readImage)),
    deleteImage: async (options) => void (await gcloud(deleteLine(options), { isProbe: true })),
    deleteRepository: async (options) => void (await gcloud(repositoryLine("delete", options), { isProbe: true })),
  };
}

/** The lines of each step, in order. */
export const imageLines = {
  setLabels: (options: LabelOptions): string[][] => [labelsLine(options)],
  repository: (options: Repository): string[][] => [repositoryLine("describe", options)],
  images: (options: Repository): string[][] => [listLine(options)],
  deleteImage: (options: ImageName): string[][] => [deleteLine(options)],
  deleteRepository: (options: Repository): string[][] => [repositoryLine("delete", options)],
};

/** `A=1,B=2`; a label holds no comma. */
export function labelList(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}

interface Listed {
  readonly package: string;
  readonly version: string;
  readonly tags: readonly string[] | "";
}

function readImage({ package: image, version, tags }: Listed): StoredImage {
  return { image, digest: version, tags: tags || [] };
}

function labelsLine({ service, project, region, set = {}, remove = [] }: LabelOptions): string[] {
  return [
    "run",
    "services",
    "update",
    service,
    ...(Object.keys(set).length === 0 ? [] : ["--update-labels", labelList(set)]),
    ...(remove.length === 0 ? [] : ["--remove-labels", remove.join(",")]),
    "--project",
    project,
    "--region",
    region,
    "--quiet",
    "--format=json",
  ];
}

function repositoryLine(verb: "describe" | "delete", { name, project, location }: Repository): string[] {
  return ["artifacts", "repositories", verb, name, "--location", location, "--project", project, "--quiet", "--format=json"];
}

function listLine(repository: Repository): string[] {
  return [
    "artifacts",
    "docker",
    "images",
    "list",
    registryOf(repository),
    "--include-tags",
    "--project",
    repository.project,
    "--quiet",
    "--format=json",
  ];
}

function deleteLine({ image }: ImageName): string[] {
  return [
    "artifacts",
    "docker",
    "images",
    "delete",
    image,
    "--delete-tags",
    "--project",
    placeOf(image).project,
    "--quiet",
    "--format=json",
  ];
}
