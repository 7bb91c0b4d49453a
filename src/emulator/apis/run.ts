import { pathParameter, requirePrincipal, type ApiRequest } from "../server/api-request.ts";
import type { Project } from "../state/resources.ts";
import type { Api, Route } from "../server/router.ts";
import { configurationOf, routeOf } from "../run/knative-views.ts";
import type { Deployments } from "../run/deployments.ts";
import { knativeList } from "../run/knative-list.ts";
import { keyOf, resourceName } from "../run/names.ts";
import { createPolicyRoutes } from "../run/policy-routes.ts";
import { placeOf, projectOf, keyPrefixOf } from "../run/request-place.ts";
import { REGIONS } from "../run/regions.ts";
import { deleteRevision, getRevision, serviceOf } from "../run/revisions.ts";
import { createService, deleteService, getService, replaceService } from "../run/services.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";

interface RunOptions extends Pick<Runtime, "state" | "now"> {
  readonly deployments: Deployments;
}

/** Cloud Run's control plane: https://cloud.google.com/run/docs/reference/rest/v1 */
export function createRunApi(options: RunOptions): Api {
  const services = createServiceRoutes(options);
  const { revisions, configurations, routes, locations } = createViewRoutes(options);
  return {
    hosts: ["run.googleapis.com"],
    routes: {
      "GET /apis/serving.knative.dev/v1/namespaces/{project}/services": services.list,
      "POST /apis/serving.knative.dev/v1/namespaces/{project}/services": services.create,
      "GET /apis/serving.knative.dev/v1/namespaces/{project}/services/{service}": services.get,
      "PUT /apis/serving.knative.dev/v1/namespaces/{project}/services/{service}": services.replace,
      "DELETE /apis/serving.knative.dev/v1/namespaces/{project}/services/{service}": services.delete,
      "GET /apis/serving.knative.dev/v1/namespaces/{project}/revisions": revisions.list,
      "GET /apis/serving.knative.dev/v1/namespaces/{project}/revisions/{revision}": revisions.get,
      "DELETE /apis/serving.knative.dev/v1/namespaces/{project}/revisions/{revision}": revisions.delete,
      "GET /apis/serving.knative.dev/v1/namespaces/{project}/configurations": configurations.list,
      "GET /apis/serving.knative.dev/v1/namespaces/{project}/configurations/{service}": configurations.get,
      "GET /apis/serving.knative.dev/v1/namespaces/{project}/routes": routes.list,
      "GET /apis/serving.knative.dev/v1/namespaces/{project}/routes/{service}": routes.get,

      "GET /v1/projects/{project}/locations": locations.list,
      "GET /v1/projects/{project}/locations/{location}/services": services.list,
      "POST /v1/projects/{project}/locations/{location}/services": services.create,
      "GET /v1/projects/{project}/locations/{location}/services/{service}": services.get,
      "PUT /v1/projects/{project}/locations/{location}/services/{service}": services.replace,
      "DELETE /v1/projects/{project}/locations/{location}/services/{service}": services.delete,
      "GET /v1/projects/{project}/locations/{location}/services/{service}:getIamPolicy": services.getIamPolicy,
      "POST /v1/projects/{project}/locations/{location}/services/{service}:setIamPolicy": services.setIamPolicy,
      "POST /v1/projects/{project}/locations/{location}/services/{service}:testIamPermissions": services.testIamPermissions,
      "GET /v1/projects/{project}/locations/{location}/revisions": revisions.list,
      "GET /v1/projects/{project}/locations/{location}/revisions/{revision}": revisions.get,
      "DELETE /v1/projects/{project}/locations/{location}/revisions/{revision}": revisions.delete,
      "GET /v1/projects/{project}/locations/{location}/configurations": configurations.list,
      "GET /v1/projects/{project}/locations/{location}/configurations/{service}": configurations.get,
      "GET /v1/projects/{project}/locations/{location}/routes": routes.list,
      "GET /v1/projects/{project}/locations/{location}/routes/{service}": routes.get,
    },
  };
}

function createServiceRoutes({ state, now, deployments }: RunOptions) {
  const on = (request: ApiRequest) => resourceName(placeOf(state, request), pathParameter(request, "service"));
  const inProject = (request: ApiRequest) => `projects/${projectOf(state, request).projectId}`;
  const write = async (request: ApiRequest) => ({
    place: placeOf(state, request),
    body: await request.body.json(),
    principal: requirePrincipal(request),
    dryRun: isDryRun(request),
  });
  return {
    list: {
      permission: "run.services.list",
      resource: inProject,
      handle: (request) => knativeList("Service", servicesIn(state, request), request.query),
    },
    get: {
      permission: "run.services.get",
      resource: on,
      handle: (request) => getService(state, placeOf(state, request), pathParameter(request, "service")),
    },
    create: {
      permission: "run.services.create",
      resource: inProject,
      handle: async (request) => {
        const input = await write(request);
        const service = createService({ state, now }, input);
        if (!input.dryRun) deployments.deploy(input.place, service.metadata.name);
        return service;
      },
    },
    replace: {
      permission: "run.services.update",
      resource: on,
      handle: async (request) => {
        const input = { ...(await write(request)), name: pathParameter(request, "service") };
        const service = replaceService({ state, now }, input);
        if (!input.dryRun) deployments.deploy(input.place, service.metadata.name);
        return service;
      },
    },
    delete: {
      permission: "run.services.delete",
      resource: on,
      handle: (request) => {
        const { metadata } = getService(state, placeOf(state, request), pathParameter(request, "service"));
        if (!isDryRun(request)) deployments.cancel(deleteService(state, placeOf(state, request), metadata.name));
        return { status: "Success", details: { name: metadata.name, uid: metadata.uid, kind: "services", group: "serving.knative.dev" } };
      },
    },
    ...createPolicyRoutes(state),
  } satisfies Record<string, Route>;
}

function createViewRoutes({ state, deployments }: RunOptions) {
  const inProject = (request: ApiRequest) => `projects/${projectOf(state, request).projectId}`;
  const ofService = (request: ApiRequest) => resourceName(placeOf(state, request), pathParameter(request, "service"));
  const ofRevision = (request: ApiRequest) => {
    const revision = state.revisions.get(keyOf(placeOf(state, request), pathParameter(request, "revision")));
    return revision ? resourceName(placeOf(state, request), serviceOf(revision)) : inProject(request);
  };
  const service = (request: ApiRequest) => getService(state, placeOf(state, request), pathParameter(request, "service"));
  const list = (permission: string, handle: Route["handle"]): Route => ({ permission, resource: inProject, handle });
  return {
    revisions: {
      list: list("run.revisions.list", (request) =>
        knativeList("Revision", state.revisions.list(keyPrefixOf(state, request)), request.query),
      ),
      get: {
        permission: "run.revisions.get",
        resource: ofRevision,
        handle: (request: ApiRequest) => getRevision(state, placeOf(state, request), pathParameter(request, "revision")),
      },
      delete: {
        permission: "run.revisions.delete",
        resource: ofRevision,
        handle: (request: ApiRequest) => {
          const place = placeOf(state, request);
          const { metadata } = getRevision(state, place, pathParameter(request, "revision"));
          deleteRevision(state, place, metadata.name);
          deployments.cancel([keyOf(place, metadata.name)]);
          return {
            status: "Success",
            details: { name: metadata.name, uid: metadata.uid, kind: "revisions", group: "serving.knative.dev" },
          };
        },
      },
    },
    configurations: {
      list: list("run.configurations.list", (request) =>
        knativeList("Configuration", servicesIn(state, request).map(configurationOf), request.query),
      ),
      get: {
        permission: "run.configurations.get",
        resource: ofService,
        handle: (request: ApiRequest) => configurationOf(service(request)),
      },
    },
    routes: {
      list: list("run.routes.list", (request) => knativeList("Route", servicesIn(state, request).map(routeOf), request.query)),
      get: { permission: "run.routes.get", resource: ofService, handle: (request: ApiRequest) => routeOf(service(request)) },
    },
    locations: { list: list("run.locations.list", (request) => ({ locations: listLocations(projectOf(state, request)) })) },
  };
}

function listLocations({ projectId }: Project): object[] {
  return [...REGIONS].map(([locationId, { displayName }]) => ({
    name: `projects/${projectId}/locations/${locationId}`,
    locationId,
    displayName,
    labels: { "cloud.googleapis.com/region": locationId },
  }));
}

function servicesIn(state: State, request: ApiRequest) {
  return state.services.list(keyPrefixOf(state, request));
}

function isDryRun({ query }: ApiRequest): boolean {
  return query.get("dryRun") === "all";
}
