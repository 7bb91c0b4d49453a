import { CliError } from "../errors/cli-error.ts";
import type { ServiceName } from "./names.ts";

/** An Artifact Registry repository of Docker images. */
export interface Repository {
  readonly location: string;
  readonly project: string;
  readonly name: string;
}

export const DEFAULT_REPOSITORY = "cloudrun-oauth";
/** Where `gcloud run deploy --source` has its images. */
const SOURCE_REPOSITORY = "cloud-run-source-deploy";

/** The image that is built and deployed unless another is named. */
export function defaultImage(options: ServiceName): string {
  return imageIn(DEFAULT_REPOSITORY, options);
}

/** The image that a service's source is built into where that is deployed at once. */
export function sourceImage(options: ServiceName): string {
  return imageIn(SOURCE_REPOSITORY, options);
}

/** Whether a repository is made for whoever has not got it: its name is none that a person has mistyped. */
export function isCreatedOnDemand({ name }: Repository): boolean {
  return name === DEFAULT_REPOSITORY || name === SOURCE_REPOSITORY;
}

function imageIn(repository: string, { project, region, service }: ServiceName): string {
  // A domain-scoped project's ID has its colon as a slash in an image's name.
  return `${region}-docker.pkg.dev/${project.replace(":", "/")}/${repository}/${service}`;
}

/** The repository that an image lies in, or undefined where it is not in Artifact Registry, as under gcr.io. */
export function parseRepository(image: string): Repository | undefined {
  const [, location, project, name] = /^([a-z0-9-]+)-docker\.pkg\.dev\/((?:[a-z0-9.-]+\.[a-z]+\/)?[^/]+)\/([^/]+)\/./.exec(image) ?? [];
  return location && project && name ? { location, project: project.replace("/", ":"), name } : undefined;
}

/** For a repository that somebody named himself: it is not made for him, since its name may be mistyped. */
export function repositoryNotFound({ name, location, project }: Repository, cause?: unknown): CliError {
  return new CliError("NOT_FOUND", `There is no repository ${name} in ${location} of project ${project}.`, {
    hint: `gcloud artifacts repositories create ${name} --repository-format=docker --location ${location} --project ${project}`,
    cause,
  });
}
