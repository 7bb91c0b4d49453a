import { parseRepository, type Repository } from "./repository.ts";

/** An image that a repository holds. */
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

/** The registry's own name of a repository, which its images' names begin with. */
export function registryName({ location, project, name }: Repository): string {
  return `${location}-docker.pkg.dev/${project.replace(":", "/")}/${name}`;
}

/** An image's repository, and what the image is called in it. It has to lie in Artifact Registry. */
export function parseImageName(image: string): Repository & { readonly path: string; readonly digest: string } {
  const repository = parseRepository(image);
  if (!repository) throw new Error(`${image} is not in Artifact Registry.`);
  const [path = "", digest = ""] = image.slice(registryName(repository).length + 1).split("@");
  return { ...repository, path, digest };
}

/** By name and digest, whatever order they came in. */
export function sortImages(images: readonly StoredImage[]): StoredImage[] {
  const key = ({ image, digest }: StoredImage) => `${image}@${digest}`;
  return images.map((each) => ({ ...each, tags: each.tags.toSorted() })).sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
