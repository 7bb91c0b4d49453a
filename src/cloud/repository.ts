import { CliError } from "../errors/cli-error.ts";
import type { ServiceName } from "./names.ts";

export interface Repository {
  readonly location: string;
  readonly project: string;
  readonly name: string;
}

export const DEFAULT_REPOSITORY = "cloudrun-oauth";
/** The repository of the images of `gcloud run deploy --source`. */
const SOURCE_REPOSITORY = "cloud-run-source-deploy";

export function defaultImage(options: ServiceName): string {
  return imageName(DEFAULT_REPOSITORY, options);
}

/** The image that a service's source is built into when it is deployed from source. */
export function sourceImage(options: ServiceName): string {
  return imageName(SOURCE_REPOSITORY, options);
}

/** Whether a missing repository is created: only if its name can't be a user's typing error. */
export function isCreatedOnDemand({ name }: Repository): boolean {
  return name === DEFAULT_REPOSITORY || name === SOURCE_REPOSITORY;
}

function imageName(repository: string, { project, region, service }: ServiceName): string {
  // In an image's name, the colon of a domain-scoped project's ID is a slash.
  return `${region}-docker.pkg.dev/${project.replace(":", "/")}/${repository}/${service}`;
}

/** The repository of an image; undefined if the image isn't in Artifact Registry, as under gcr.io. */
export function parseRepository(image: string): Repository | undefined {
  const [, location, project, name] = /^([a-z0-9-]+)-docker\.pkg\.dev\/((?:[a-z0-9.-]+\.[a-z]+\/)?[^/]+)\/([^/]+)\/./.exec(image) ?? [];
  return location && project && name ? { location, project: project.replace("/", ":"), name } : undefined;
}

/** The error for a repository that the user named. It isn't created, since its name can be a typing error. */
export function repositoryNotFound({ name, location, project }: Repository, cause?: unknown): CliError {
  return new CliError("NOT_FOUND", `Repository "${name}" not found in ${location} (project ${project}).`, {
    hint:
      "Omit --image to use the default repository, which is created automatically, " +
      `or create this one: https://console.cloud.google.com/artifacts/create-repo?project=${project}`,
    cause,
  });
}
