import { parseRepository, type Repository } from "./repository.ts";

export interface StoredImage {
  /** Without tag and digest. */
  readonly image: string;
  /** `sha256:…` */
  readonly digest: string;
  readonly tags: readonly string[];
}

export interface ImageName {
  /** With its digest: `REGION-docker.pkg.dev/PROJECT/REPOSITORY/NAME@sha256:…`. */
  readonly image: string;
}

/** The name of a repository in its registry, which its images' names begin with. */
export function registryName({ location, project, name }: Repository): string {
  return `${location}-docker.pkg.dev/${project.replace(":", "/")}/${name}`;
}

/** An image's name for progress output: without the registry and the digest. */
export function shortImageName(image: string): string {
  return image
    .replace(/^.*\//, "")
    .replace(/@.*$/, "")
    .replace(/(:src-[0-9a-f]{7})[0-9a-f]+$/, "$1");
}

export function parseImageName(image: string): Repository & { readonly path: string; readonly digest: string } {
  const repository = parseRepository(image);
  if (!repository) throw new Error(`${image} is not in Artifact Registry.`);
  const [path = "", digest = ""] = image.slice(registryName(repository).length + 1).split("@");
  return { ...repository, path, digest };
}

export function sortImages(images: readonly StoredImage[]): StoredImage[] {
  const key = ({ image, digest }: StoredImage) => `${image}@${digest}`;
  return images.map((image) => ({ ...image, tags: image.tags.toSorted() })).sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
