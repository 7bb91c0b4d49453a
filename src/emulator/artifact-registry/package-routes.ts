import type { ApiRequest } from "../server/api-request.ts";
import { ApiError, entityNotFound } from "../server/errors.ts";
import { listPage } from "../apis/pagination.ts";
import type { Route } from "../server/router.ts";
import type { State } from "../state/state.ts";

interface Tag {
  readonly name: string;
  readonly version: string;
  readonly reference: string;
}

const PACKAGE = "/v1/projects/{project}/locations/{location}/repositories/{repository}/packages/{package}";

/**
 * Routes for an image's versions and tags:
 * https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories.packages. `check` throws if the
 * repository doesn't exist; `removed` returns the operation of a deletion.
 */
export function packageRoutes(
  state: State,
  { check, removed }: { readonly check: (request: ApiRequest) => void; readonly removed: (request: ApiRequest) => object },
): Readonly<Record<string, Route>> {
  const tagsOf = (request: ApiRequest): Tag[] => {
    check(request);
    const [project, location, repository, name] = ["project", "location", "repository", "package"].map((field) => request.param(field));
    const parent = `projects/${project}/locations/${location}/repositories/${repository}/packages/${encodeURIComponent(name ?? "")}`;
    return state.tags.list(`${location}-docker.pkg.dev/${project}/${repository}/${name}:`).map(({ reference, digest }) => ({
      name: `${parent}/tags/${reference.slice(reference.lastIndexOf(":") + 1)}`,
      version: `${parent}/versions/${digest}`,
      reference,
    }));
  };
  const tagsOfVersion = (request: ApiRequest): Tag[] => {
    const found = tagsOf(request).filter(({ version }) => version.endsWith(`/${request.param("version")}`));
    if (found.length === 0) throw entityNotFound();
    return found;
  };

  return {
    [`GET ${PACKAGE}/tags`]: {
      permission: "artifactregistry.tags.list",
      handle: (request) => {
        const version = /^version="(.+)"$/.exec(request.query.get("filter") ?? "")?.[1];
        const tags = tagsOf(request).filter((tag) => version === undefined || isVersion(tag, version));
        return listPage(
          request.query,
          "tags",
          tags.map(({ name, version: of }) => ({ name, version: of })),
        );
      },
    },
    [`DELETE ${PACKAGE}/tags/{tag}`]: {
      permission: "artifactregistry.tags.delete",
      handle: (request) => {
        const found = tagsOf(request).find(({ name }) => name.endsWith(`/tags/${request.param("tag")}`));
        if (!found) throw entityNotFound();
        state.tags.delete(found.reference);
        return {};
      },
    },
    [`GET ${PACKAGE}/versions/{version=**}`]: {
      permission: "artifactregistry.versions.get",
      handle: (request) => {
        const { version: name } = tagsOfVersion(request)[0] as Tag;
        const { createTime } = state.images.get(request.param("version")) ?? {};
        return { name, createTime, updateTime: createTime };
      },
    },
    // Unlike Cloud Run: an image without tags counts as deleted, so deleting any version of it succeeds.
    [`DELETE ${PACKAGE}/versions/{version=**}`]: {
      permission: "artifactregistry.versions.delete",
      handle: (request) => {
        const tags = tagsOf(request).filter(({ version }) => version.endsWith(`/${request.param("version")}`));
        if (tags.length > 0 && request.query.get("force") !== "true")
          throw new ApiError("FAILED_PRECONDITION", "The version has tags. Delete them first, or force the deletion.");
        state.transaction(() => {
          for (const { reference } of tags) state.tags.delete(reference);
        });
        return removed(request);
      },
    },
  };
}

/** gcloud sends a version's full name without encoding it as the response does. */
function isVersion({ version }: Tag, wanted: string): boolean {
  return decodeURIComponent(version) === decodeURIComponent(wanted);
}
