import { policyRoutes } from "../iam/policy-routes.ts";
import { requirePrincipal, type ApiRequest } from "../server/api-request.ts";
import type { Project } from "../state/resources.ts";
import { type Api, type Route, route } from "../server/router.ts";
import { configurationOf, routeOf } from "../run/knative-views.ts";
import type { Deployments } from "../run/deployments.ts";
import { knativeList } from "../run/knative-list.ts";
import { keyOf, resourceName } from "../run/names.ts";
import { placeOf, projectOf, keyPrefixOf } from "../run/request-place.ts";
import { REGIONS } from "../run/regions.ts";
import { deleteRevision, getRevision, serviceOf } from "../run/revisions.ts";
import { createService, deleteService, getService, replaceService } from "../run/services.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";

interface RunOptions extends Pick<Runtime, "state" | "now"> {
  readonly deployments: Deployments;
}

/** Cloud Run's v1 API: https://cloud.google.com/run/docs/reference/rest/v1 */
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
  const inProject = (request: ApiRequest) => `projects/${projectOf(state, request).projectId}`;
  const onService = (request: ApiRequest) => resourceName(placeOf(state, request), request.param("service"));
  const find = (request: ApiRequest) => getService(state, placeOf(state, request), request.param("service"));
  const write = async (request: ApiRequest, name?: string): Promise<object> => {
    const place = placeOf(state, request);
    const change = { place, body: await request.body.json(), principal: requirePrincipal(request), dryRun: isDryRun(request) };
    const service = name === undefined ? createService({ state, now }, change) : replaceService({ state, now }, { ...change, name });
    if (!change.dryRun) deployments.deploy(place, service.metadata.name);
    return service;
  };
  return {
    list: route("run.services.list", (request) => knativeList("Service", servicesIn(state, request), request.query), inProject),
    get: route("run.services.get", find, onService),
    create: route("run.services.create", (request) => write(request), inProject),
    replace: route("run.services.update", (request) => write(request, request.param("service")), onService),
    delete: route(
      "run.services.delete",
      (request) => {
        const { metadata } = find(request);
        if (!isDryRun(request)) deployments.cancel(deleteService(state, placeOf(state, request), metadata.name));
        return deletionStatus("services", metadata);
      },
      onService,
    ),
    ...policyRoutes(state, "run.services", onService, (request) => void find(request)),
  };
}

function createViewRoutes({ state, deployments }: RunOptions) {
  const inProject = (request: ApiRequest) => `projects/${projectOf(state, request).projectId}`;
  const onService = (request: ApiRequest) => resourceName(placeOf(state, request), request.param("service"));
  const onRevision = (request: ApiRequest) => {
    const revision = state.revisions.get(keyOf(placeOf(state, request), request.param("revision")));
    return revision ? resourceName(placeOf(state, request), serviceOf(revision)) : inProject(request);
  };
  const findService = (request: ApiRequest) => getService(state, placeOf(state, request), request.param("service"));
  const findRevision = (request: ApiRequest) => getRevision(state, placeOf(state, request), request.param("revision"));
  const list = (kind: string, permission: string, all: (request: ApiRequest) => Parameters<typeof knativeList>[1]): Route =>
    route(permission, (request) => knativeList(kind, all(request), request.query), inProject);
  return {
    revisions: {
      list: list("Revision", "run.revisions.list", (request) => state.revisions.list(keyPrefixOf(state, request))),
      get: route("run.revisions.get", findRevision, onRevision),
      delete: route(
        "run.revisions.delete",
        (request) => {
          const place = placeOf(state, request);
          const { metadata } = findRevision(request);
          deleteRevision(state, place, metadata.name);
          deployments.cancel([keyOf(place, metadata.name)]);
          return deletionStatus("revisions", metadata);
        },
        onRevision,
      ),
    },
    configurations: {
      list: list("Configuration", "run.configurations.list", (request) => servicesIn(state, request).map(configurationOf)),
      get: route("run.configurations.get", (request) => configurationOf(findService(request)), onService),
    },
    routes: {
      list: list("Route", "run.routes.list", (request) => servicesIn(state, request).map(routeOf)),
      get: route("run.routes.get", (request) => routeOf(findService(request)), onService),
    },
    locations: { list: route("run.locations.list", (request) => ({ locations: listLocations(projectOf(state, request)) }), inProject) },
  };
}

function deletionStatus(kind: "services" | "revisions", { name, uid }: { readonly name: string; readonly uid: string }): object {
  return { status: "Success", details: { name, uid, kind, group: "serving.knative.dev" } };
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
