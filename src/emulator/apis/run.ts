import { policyRoutes } from "../iam/policy-routes.ts";
import { requirePrincipal, type ApiRequest } from "../server/api-request.ts";
import type { Project } from "../state/resources.ts";
import { type Api, type Route, route, routesUnder } from "../server/router.ts";
import { configurationOf, routeOf } from "../run/knative-views.ts";
import type { Deployments } from "../run/deployments.ts";
import { knativeList } from "../run/knative-list.ts";
import { keyOf, resourceName } from "../run/names.ts";
import { placeOf, projectOf, keyPrefixOf } from "../run/request-place.ts";
import { REGIONS } from "../run/regions.ts";
import { deleteRevision, getRevision, serviceOf } from "../run/revisions.ts";
import { createService, deleteService, getService, replaceService } from "../run/services.ts";
import type { Runtime } from "../runtime.ts";

type RunOptions = Pick<Runtime, "state" | "now"> & { readonly deployments: Deployments };

/** Cloud Run's v1 API: https://cloud.google.com/run/docs/reference/rest/v1 */
export function createRunApi({ state, now, deployments }: RunOptions): Api {
  const inProject = (request: ApiRequest) => `projects/${projectOf(state, request).projectId}`;
  const onService = (request: ApiRequest) => resourceName(placeOf(state, request), request.param("service"));
  const onRevision = (request: ApiRequest) => {
    const revision = state.revisions.get(keyOf(placeOf(state, request), request.param("revision")));
    return revision ? resourceName(placeOf(state, request), serviceOf(revision)) : inProject(request);
  };
  const servicesIn = (request: ApiRequest) => state.services.list(keyPrefixOf(state, request));
  const findService = (request: ApiRequest) => getService(state, placeOf(state, request), request.param("service"));
  const findRevision = (request: ApiRequest) => getRevision(state, placeOf(state, request), request.param("revision"));
  const list = (kind: string, permission: string, all: (request: ApiRequest) => Parameters<typeof knativeList>[1]): Route =>
    route(permission, (request) => knativeList(kind, all(request), request.query), inProject);
  const write = async (request: ApiRequest, name?: string): Promise<object> => {
    const place = placeOf(state, request);
    const change = { place, body: await request.body.json(), principal: requirePrincipal(request), dryRun: isDryRun(request) };
    const service = name === undefined ? createService({ state, now }, change) : replaceService({ state, now }, { ...change, name });
    if (!change.dryRun) deployments.deploy(place, service.metadata.name);
    return service;
  };
  const removeService = (request: ApiRequest) => {
    const { metadata } = findService(request);
    if (!isDryRun(request)) deployments.cancel(deleteService(state, placeOf(state, request), metadata.name));
    return deletionStatus("services", metadata);
  };
  const removeRevision = (request: ApiRequest) => {
    const place = placeOf(state, request);
    const { metadata } = findRevision(request);
    deleteRevision(state, place, metadata.name);
    deployments.cancel([keyOf(place, metadata.name)]);
    return deletionStatus("revisions", metadata);
  };
  const routes = {
    "GET /services": list("Service", "run.services.list", servicesIn),
    "POST /services": route("run.services.create", (request) => write(request), inProject),
    "GET /services/{service}": route("run.services.get", findService, onService),
    "PUT /services/{service}": route("run.services.update", (request) => write(request, request.param("service")), onService),
    "DELETE /services/{service}": route("run.services.delete", removeService, onService),
    "GET /revisions": list("Revision", "run.revisions.list", (request) => state.revisions.list(keyPrefixOf(state, request))),
    "GET /revisions/{revision}": route("run.revisions.get", findRevision, onRevision),
    "DELETE /revisions/{revision}": route("run.revisions.delete", removeRevision, onRevision),
    "GET /configurations": list("Configuration", "run.configurations.list", (request) => servicesIn(request).map(configurationOf)),
    "GET /configurations/{service}": route("run.configurations.get", (request) => configurationOf(findService(request)), onService),
    "GET /routes": list("Route", "run.routes.list", (request) => servicesIn(request).map(routeOf)),
    "GET /routes/{service}": route("run.routes.get", (request) => routeOf(findService(request)), onService),
  };
  const policies = policyRoutes(state, "run.services", onService, (request) => void findService(request));
  return {
    hosts: ["run.googleapis.com"],
    routes: {
      ...routesUnder("/apis/serving.knative.dev/v1/namespaces/{project}", routes),
      ...routesUnder("/v1/projects/{project}/locations/{location}", routes),
      "GET /v1/projects/{project}/locations/{location}/services/{service}:getIamPolicy": policies.getIamPolicy,
      "POST /v1/projects/{project}/locations/{location}/services/{service}:setIamPolicy": policies.setIamPolicy,
      "POST /v1/projects/{project}/locations/{location}/services/{service}:testIamPermissions": policies.testIamPermissions,
      "GET /v1/projects/{project}/locations": route(
        "run.locations.list",
        (request) => ({ locations: listLocations(projectOf(state, request)) }),
        inProject,
      ),
    },
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

function isDryRun({ query }: ApiRequest): boolean {
  return query.get("dryRun") === "all";
}
