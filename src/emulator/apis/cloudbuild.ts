import { buildOperation } from "../builds/build-operation.ts";
import { findBuild, isFinished, type Builds } from "../builds/builds.ts";
import { listBuilds } from "../builds/list-builds.ts";
import { defaultServiceAccount, requireProject } from "../builds/new-build.ts";
import { param, type Call } from "../server/call.ts";
import { ApiError } from "../server/errors.ts";
import type { Build } from "../state/resources.ts";
import type { Api, Handler, Route } from "../server/router.ts";
import type { Runtime } from "../runtime.ts";

/** Cloud Build: https://cloud.google.com/build/docs/api/reference/rest/v1 */
export function cloudbuildApi({ state, builds }: Pick<Runtime, "state"> & { readonly builds: Builds }): Api {
  const projectId = (call: Call): string => requireProject({ state }, param(call, "project")).projectId;
  const location = (call: Call): string => call.params["location"] ?? "global";
  const find = (call: Call): Build => {
    const build = findBuild({ state }, projectId(call), param(call, "build"));
    if (!String(build["name"]).includes(`/locations/${location(call)}/`))
      throw new ApiError("NOT_FOUND", "Requested entity was not found.");
    return build;
  };
  const create = route("cloudbuild.builds.create", async (call) =>
    buildOperation(builds.create(param(call, "project"), location(call), await call.body.json())),
  );
  const list = route("cloudbuild.builds.list", (call) =>
    listBuilds(state.builds.list(`${projectId(call)}/`), call.params["location"], call.url.searchParams),
  );
  const get = route("cloudbuild.builds.get", find);
  const cancel = route("cloudbuild.builds.update", async (call) => {
    const build = find(call);
    if (isFinished(build)) throw new ApiError("FAILED_PRECONDITION", "build is already completed");
    return builds.cancel(build);
  });
  const buildOfOperation = (call: Call): { project: string; id: string } => {
    const id = Buffer.from(param(call, "operation"), "base64").toString("utf8");
    return { project: param(call, "project"), id };
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
      "GET /v1/operations/build/{project}/{operation}": route("cloudbuild.builds.get", (call) => {
        const { project, id } = buildOfOperation(call);
        return buildOperation(findBuild({ state }, project, id));
      }),
      // The name that `gcloud run deploy --source` asks by; it ends in the build's id.
      "GET /v1/projects/{project}/locations/{location}/operations/{build}": route("cloudbuild.builds.get", (call) =>
        buildOperation(find(call)),
      ),
      "GET /v1/projects/{project}/locations/{location}/defaultServiceAccount": route("cloudbuild.builds.get", (call) => {
        const project = requireProject({ state }, param(call, "project"));
        const name = `projects/${project.projectNumber}/locations/${location(call)}/defaultServiceAccount`;
        return { name, serviceAccountEmail: defaultServiceAccount(project) };
      }),
    },
  };
}

function route(permission: string, handle: Handler): Route {
  return { permission, handle };
}
