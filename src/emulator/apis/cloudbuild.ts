import { requireProject } from "../state/projects.ts";
import { buildOperation } from "../builds/build-operation.ts";
import { findBuild, isFinished, type Builds } from "../builds/builds.ts";
import { listBuilds } from "../builds/list-builds.ts";
import { defaultServiceAccount } from "../builds/new-build.ts";
import type { ApiRequest } from "../server/api-request.ts";
import { ApiError, entityNotFound } from "../server/errors.ts";
import type { Build } from "../state/resources.ts";
import { type Api, route } from "../server/router.ts";
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
  const create = route("cloudbuild.builds.create", async (request) =>
    buildOperation(builds.create(request.param("project"), location(request), await request.body.json())),
  );
  const list = route("cloudbuild.builds.list", (request) =>
    listBuilds(state.builds.list(`${projectId(request)}/`), request.params["location"], request.query),
  );
  const get = route("cloudbuild.builds.get", find);
  const cancel = route("cloudbuild.builds.update", async (request) => {
    const build = find(request);
    if (isFinished(build)) throw new ApiError("FAILED_PRECONDITION", "build is already completed");
    return builds.cancel(build);
  });
  const buildOfOperation = (request: ApiRequest): { project: string; id: string } => {
    const id = Buffer.from(request.param("operation"), "base64").toString("utf8");
    return { project: request.param("project"), id };
  };

  return {
    hosts: ["cloudbuild.googleapis.com"],
    routes: {
      "POST /v1/projects/{project}/builds": create,
      "POST /v1/projects/{project}/locations/{location}/builds": create,
      "GET /v1/projects/{project}/builds": list,
      "GET /v1/projects/{project}/locations/{location}/builds": list,
      "GET /v1/projects/{project}/builds/{build}": get,
      "GET /v1/projects/{project}/locations/{location}/builds/{build}": get,
      "POST /v1/projects/{project}/builds/{build}:cancel": cancel,
      "POST /v1/projects/{project}/locations/{location}/builds/{build}:cancel": cancel,
      "GET /v1/operations/build/{project}/{operation}": route("cloudbuild.builds.get", (request) => {
        const { project, id } = buildOfOperation(request);
        return buildOperation(findBuild({ state }, project, id));
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
