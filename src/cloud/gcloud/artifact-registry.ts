import type { BuildOptions } from "../cloud.ts";
import { sortImages, parseImageName, registryName, type ImageName } from "../images.ts";
import type { Repository } from "../repository.ts";
import { commandVerb, flag, joinPairs, jsonCommand, parseGcloudJson } from "./command.ts";
import type { Gcloud } from "./process.ts";

export function artifactRegistryVerbs(gcloud: Gcloud) {
  return {
    repository: commandVerb(gcloud, {
      args: (options: Repository) => repositoryArgs("describe", options),
      read: (stdout) => {
        const { labels = {} } = parseGcloudJson<{ readonly labels?: Readonly<Record<string, string>> }>(stdout);
        return { labels };
      },
    }),
    images: commandVerb(gcloud, {
      args: (options: Repository) =>
        jsonCommand([...IMAGES, "list", registryName(options), "--include-tags"], { project: options.project }),
      read: (stdout) =>
        sortImages(
          parseGcloudJson<ImageMessage[]>(stdout).map(({ package: image, version: digest, tags }) => ({ image, digest, tags: tags || [] })),
        ),
    }),
    deleteImage: commandVerb(gcloud, {
      args: ({ image }: ImageName) =>
        jsonCommand([...IMAGES, "delete", image, "--delete-tags"], { project: parseImageName(image).project }),
      read: () => {},
    }),
    deleteRepository: commandVerb(gcloud, {
      args: (options: Repository) => repositoryArgs("delete", options),
      read: () => {},
    }),
  };
}

const IMAGES = ["artifacts", "docker", "images"];

interface ImageMessage {
  readonly package: string;
  readonly version: string;
  readonly tags: readonly string[] | "";
}

export function repositoryArgs(verb: "describe" | "delete", { name, project, location }: Repository): string[] {
  return jsonCommand(["artifacts", "repositories", verb, name], { project, location });
}

export function createRepositoryArgs(
  { name, project, location }: Repository,
  { repositoryLabels }: Pick<BuildOptions, "repositoryLabels"> = {},
): string[] {
  const words = [
    "artifacts",
    "repositories",
    "create",
    name,
    "--repository-format=docker",
    ...flag("--labels", joinPairs(repositoryLabels)),
  ];
  return jsonCommand(words, { project, location });
}
