import { requireProject } from "../state/projects.ts";
import { listDockerImages } from "../artifact-registry/docker-images.ts";
import { packageRoutes } from "../artifact-registry/package-routes.ts";
import type { ApiRequest } from "../server/api-request.ts";
import { ApiError, entityNotFound, invalidArgument } from "../server/errors.ts";
import { listPage } from "./pagination.ts";
import type { Repository } from "../state/resources.ts";
import { type Api, route } from "../server/router.ts";
import { REGIONS } from "../run/regions.ts";
import type { Runtime } from "../runtime.ts";

type RegistryRuntime = Pick<Runtime, "state" | "now">;

const MULTI_REGIONS = { us: "United States", europe: "Europe", asia: "Asia" };

/** Artifact Registry, for Docker images: https://cloud.google.com/artifact-registry/docs/reference/rest/v1 */
export function createArtifactRegistryApi(registry: RegistryRuntime): Api {
  const { state } = registry;
  const locations = route("artifactregistry.locations.list", (request) => listPage(request.query, "locations", listLocations(request)));
  return {
    hosts: ["artifactregistry.googleapis.com"],
    routes: {
      "GET /v1/projects/{project}/locations": locations,
      // gcloud requests this before it lists the repositories of all locations.
      "GET /v1beta2/projects/{project}/locations": locations,
      "GET /v1/projects/{project}/locations/{location}": route("artifactregistry.locations.get", findLocation),
      "POST /v1/projects/{project}/locations/{location}/repositories": route("artifactregistry.repositories.create", (request) =>
        createRepository(registry, request),
      ),
      "GET /v1/projects/{project}/locations/{location}/repositories": route("artifactregistry.repositories.list", (request) => {
        const prefix = `${requireProject(registry.state, request.param("project")).projectId}/${request.param("location")}/`;
        return listPage(request.query, "repositories", state.repositories.list(prefix).map(repositoryMessage));
      }),
      "GET /v1/projects/{project}/locations/{location}/repositories/{repository}": route("artifactregistry.repositories.get", (request) =>
        repositoryMessage(findRepository(registry, keyOf(registry, request))),
      ),
      "DELETE /v1/projects/{project}/locations/{location}/repositories/{repository}": route(
        "artifactregistry.repositories.delete",
        (request) => deleteRepository(registry, request),
      ),
      "GET /v1/projects/{project}/locations/{location}/repositories/{repository}/dockerImages": route(
        "artifactregistry.dockerimages.list",
        (request) => {
          const key = keyOf(registry, request);
          findRepository(registry, key);
          return listPage(request.query, "dockerImages", listDockerImages(state, key));
        },
      ),
      "GET /v1/projects/{project}/locations/{location}/repositories/{repository}/dockerImages/{image=**}": route(
        "artifactregistry.dockerimages.get",
        (request) => {
          const image = listDockerImages(state, keyOf(registry, request)).find(({ uri }) =>
            uri.endsWith(`/${request.param("repository")}/${request.param("image")}`),
          );
          if (!image) throw entityNotFound();
          return image;
        },
      ),
      ...packageRoutes(state, {
        check: (request) => void findRepository(registry, keyOf(registry, request)),
        removed: (request) => operation(request, request.param("repository")),
      }),
      "GET /v1/projects/{project}/locations/{location}/operations/{operation}": route("artifactregistry.repositories.get", (request) =>
        getOperation(registry, request),
      ),
    },
  };
}

function keyOf({ state }: Pick<RegistryRuntime, "state">, request: ApiRequest, repository = request.param("repository")): string {
  return `${requireProject(state, request.param("project")).projectId}/${request.param("location")}/${repository}`;
}

function findRepository({ state }: RegistryRuntime, key: string): Repository {
  const repository = state.repositories.get(key);
  if (!repository) throw entityNotFound();
  return repository;
}

async function createRepository(registry: RegistryRuntime, request: ApiRequest): Promise<object> {
  const { state, now } = registry;
  const id = request.query.get("repositoryId") ?? "";
  const { format, description, labels } = await request.body.json();
  findLocation(request);
  if (!/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$|^(us\.|eu\.|asia\.)?gcr\.io$/.test(id)) {
    throw invalidArgument(`Invalid repository_id "${id}". Start with a letter, and use at most 63 lowercase letters, digits, and hyphens.`);
  }
  if (format !== "DOCKER")
    throw invalidArgument(`The emulator supports only Docker repositories, not ${JSON.stringify(format ?? "FORMAT_UNSPECIFIED")}.`);
  const key = keyOf(registry, request, id);
  if (state.repositories.get(key)) throw new ApiError("ALREADY_EXISTS", "the repository already exists");
  const name = `projects/${key.split("/")[0] ?? ""}/locations/${request.param("location")}/repositories/${id}`;
  const repository: Repository = {
    name,
    format,
    createTime: new Date(now()).toISOString(),
    ...(typeof description === "string" && { description }),
    ...(isLabels(labels) && { labels }),
  };
  state.repositories.set(key, repository);
  return operation(request, id, repository);
}

function isLabels(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === "object" && value !== null && Object.values(value).every((label) => typeof label === "string");
}

function deleteRepository(registry: RegistryRuntime, request: ApiRequest): object {
  const { state } = registry;
  const key = keyOf(registry, request);
  const registryUri = registryUriOf(findRepository(registry, key));
  state.transaction(() => {
    state.repositories.delete(key);
    for (const { reference } of state.tags.list(`${registryUri}/`)) state.tags.delete(reference);
  });
  return operation(request, request.param("repository"));
}

// Unlike Cloud Run: changes that take Google a moment are done at once, so an operation returns its repository as it is now.
function getOperation({ state }: RegistryRuntime, request: ApiRequest): object {
  const id = Buffer.from(request.param("operation"), "base64url").toString("utf8");
  return operation(request, id, state.repositories.get(keyOf({ state }, request, id)));
}

/** A completed operation that created a repository, or deleted something if there is none. */
function operation(request: ApiRequest, id: string, repository?: Repository): object {
  const location = `projects/${request.param("project")}/locations/${request.param("location")}`;
  return {
    name: `${location}/operations/${Buffer.from(id).toString("base64url")}`,
    metadata: { "@type": "type.googleapis.com/google.devtools.artifactregistry.v1.OperationMetadata" },
    done: true,
    response: repository
      ? { "@type": "type.googleapis.com/google.devtools.artifactregistry.v1.Repository", ...repositoryMessage(repository) }
      : { "@type": "type.googleapis.com/google.protobuf.Empty" },
  };
}

function repositoryMessage(repository: Repository): object {
  const registryUri = registryUriOf(repository);
  return { ...repository, updateTime: repository.createTime, mode: "STANDARD_REPOSITORY", sizeBytes: "0", registryUri };
}

function registryUriOf({ name }: Repository): string {
  const [, project, , location, , repository] = name.split("/");
  return `${location}-docker.pkg.dev/${project}/${repository}`;
}

function listLocations(request: ApiRequest): { readonly name: string; readonly locationId: string }[] {
  const regions = [...REGIONS].map(([locationId, { displayName }]) => ({ locationId, displayName }));
  const all = [...regions, ...Object.entries(MULTI_REGIONS).map(([locationId, displayName]) => ({ locationId, displayName }))];
  return all.map((location) => ({ name: `projects/${request.param("project")}/locations/${location.locationId}`, ...location }));
}

function findLocation(request: ApiRequest): object {
  const location = request.param("location");
  const found = listLocations(request).find(({ locationId }) => locationId === location);
  if (!found) throw new ApiError("NOT_FOUND", `Location ${location} is not found or access is unauthorized.`);
  return found;
}
