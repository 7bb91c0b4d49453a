import { requireProject } from "../state/projects.ts";
import { buildOperation } from "../builds/build-operation.ts";
import { findBuild, isFinished, type Builds } from "../builds/builds.ts";
import { defaultServiceAccount } from "../builds/new-build.ts";
import { parseFilter } from "./filter.ts";
import { listPage } from "./pagination.ts";
import type { ApiRequest } from "../server/api-request.ts";
import { ApiError, entityNotFound } from "../server/errors.ts";
import type { Build } from "../state/resources.ts";
import { type Api, route, routesUnder } from "../server/router.ts";
import type { Runtime } from "../runtime.ts";

/** Cloud Build: https://cloud.google.com/build/docs/api/reference/rest/v1 */
export function createCloudBuildApi({ state, builds }: Pick<Runtime, "state"> & { readonly builds: Builds }): Api {
  const projectId = (request: ApiRequest): string => requireProject(state, request.param("project")).projectId;
  const location = (request: ApiRequest): string => request.params["location"] ?? "global";
  const find = (request: ApiRequest): Build => {
    const build = findBuild({ state }, projectId(request), request.param("build"));
    if (!String(build["name"]).includes(`/locations/${location(request)}/`)) throw entityNotFound();
    return build;
  };
  const routes = {
    "POST /builds": route("cloudbuild.builds.create", async (request) =>
      buildOperation(builds.create(request.param("project"), location(request), await request.body.json())),
    ),
    "GET /builds": route("cloudbuild.builds.list", (request) =>
      listBuilds(state.builds.list(`${projectId(request)}/`), request.params["location"], request.query),
    ),
    "GET /builds/{build}": route("cloudbuild.builds.get", find),
    "POST /builds/{build}:cancel": route("cloudbuild.builds.update", async (request) => {
      const build = find(request);
      if (isFinished(build)) throw new ApiError("FAILED_PRECONDITION", "build is already completed");
      return builds.cancel(build);
    }),
  };

  return {
    hosts: ["cloudbuild.googleapis.com"],
    routes: {
      ...routesUnder("/v1/projects/{project}", routes),
      ...routesUnder("/v1/projects/{project}/locations/{location}", routes),
      "GET /v1/operations/build/{project}/{operation}": route("cloudbuild.builds.get", (request) => {
        const id = Buffer.from(request.param("operation"), "base64").toString("utf8");
        return buildOperation(findBuild({ state }, request.param("project"), id));
      }),
      // The name that `gcloud run deploy --source` requests; it ends in the build's id.
      "GET /v1/projects/{project}/locations/{location}/operations/{build}": route("cloudbuild.builds.get", (request) =>
        buildOperation(find(request)),
      ),
      "GET /v1/projects/{project}/locations/{location}/defaultServiceAccount": route("cloudbuild.builds.get", (request) => {
        const project = requireProject(state, request.param("project"));
        const name = `projects/${project.projectNumber}/locations/${location(request)}/defaultServiceAccount`;
        return { name, serviceAccountEmail: defaultServiceAccount(project) };
      }),
    },
  };
}

/** The fields that a filter can name, in the spellings that it can use. */
const FILTER_FIELDS: Readonly<Record<string, string>> = { status: "status", tags: "tags", images: "images", id: "id", build_id: "id" };

/** A page of builds, newest first, of a list request. Without a location, it has the builds of all locations. */
function listBuilds(builds: readonly Build[], location: string | undefined, query: URLSearchParams): object {
  const filter = parseFilter(query.get("filter") ?? "", Object.keys(FILTER_FIELDS));
  const matches = builds
    .filter(({ name }) => location === undefined || location === "-" || String(name).includes(`/locations/${location}/`))
    .filter((build) => filter((name) => build[FILTER_FIELDS[name] ?? ""]))
    .sort((a, b) => (String(a["createTime"]) < String(b["createTime"]) ? 1 : -1));
  return listPage(query, "builds", matches);
}
