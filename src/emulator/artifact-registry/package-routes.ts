import { param, type Call } from "../server/call.ts";
import { ApiError } from "../server/errors.ts";
import { page } from "../apis/pagination.ts";
import type { Route } from "../server/router.ts";
import type { State } from "../state/state.ts";

interface Tag {
  readonly name: string;
  readonly version: string;
  /** The tag's key in the state. */
  readonly reference: string;
}

const PACKAGE = "/v1/projects/{project}/locations/{location}/repositories/{repository}/packages/{package}";

/**
 * Routes for an image's versions and tags:
 * https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories.packages. `check`
 * throws if the repository doesn't exist; `removed` returns the operation of a deletion.
 */
export function packageRoutes(
  state: State,
  { check, removed }: { readonly check: (call: Call) => void; readonly removed: (call: Call) => object },
): Readonly<Record<string, Route>> {
  const tagsOf = (call: Call): Tag[] => {
    check(call);
    const [project, location, repository, name] = ["project", "location", "repository", "package"].map((field) => param(call, field));
    const parent = `projects/${project}/locations/${location}/repositories/${repository}/packages/${encodeURIComponent(name ?? "")}`;
    return state.tags.list(`${location}-docker.pkg.dev/${project}/${repository}/${name}:`).map(({ reference, digest }) => ({
      name: `${parent}/tags/${reference.slice(reference.lastIndexOf(":") + 1)}`,
      version: `${parent}/versions/${digest}`,
      reference,
    }));
  };
  const tagsOfVersion = (call: Call): Tag[] => {
    const found = tagsOf(call).filter(({ version }) => version.endsWith(`/${param(call, "version")}`));
    if (found.length === 0) throw new ApiError("NOT_FOUND", "Requested entity was not found.");
    return found;
  };

  return {
    [`GET ${PACKAGE}/tags`]: {
      permission: "artifactregistry.tags.list",
      handle: (call) => {
        const version = /^version="(.+)"$/.exec(call.url.searchParams.get("filter") ?? "")?.[1];
        const tags = tagsOf(call).filter((tag) => version === undefined || isVersion(tag, version));
        return page(
          "tags",
          tags.map(({ name, version: of }) => ({ name, version: of })),
          call.url.searchParams,
        );
      },
    },
    [`DELETE ${PACKAGE}/tags/{tag}`]: {
      permission: "artifactregistry.tags.delete",
      handle: (call) => {
        const found = tagsOf(call).find(({ name }) => name.endsWith(`/tags/${param(call, "tag")}`));
        if (!found) throw new ApiError("NOT_FOUND", "Requested entity was not found.");
        state.tags.delete(found.reference);
        return {};
      },
    },
    [`GET ${PACKAGE}/versions/{version=**}`]: {
      permission: "artifactregistry.versions.get",
      handle: (call) => {
        const { version: name } = tagsOfVersion(call)[0] as Tag;
        const { createTime } = state.images.get(param(call, "version")) ?? {};
        return { name, createTime, updateTime: createTime };
      },
    },
    // Unlike Cloud Run: an image without tags counts as deleted, so deleting any version of it succeeds.
    [`DELETE ${PACKAGE}/versions/{version=**}`]: {
      permission: "artifactregistry.versions.delete",
      handle: (call) => {
        const tags = tagsOf(call).filter(({ version }) => version.endsWith(`/${param(call, "version")}`));
        if (tags.length > 0 && call.url.searchParams.get("force") !== "true")
          throw new ApiError("FAILED_PRECONDITION", "The version is tagged: delete its tags first, or force the deletion.");
        state.transaction(() => {
          for (const { reference } of tags) state.tags.delete(reference);
        });
        return removed(call);
      },
    },
  };
}

/** gcloud sends a version's full name without encoding it as the response does. */
function isVersion({ version }: Tag, wanted: string): boolean {
  return decodeURIComponent(version) === decodeURIComponent(wanted);
}
