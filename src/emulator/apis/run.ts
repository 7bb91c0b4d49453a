import { param, principalOf, type Call } from "../server/call.ts";
import type { Project } from "../state/resources.ts";
import type { Api, Route } from "../server/router.ts";
import { configurationOf, routeOf } from "../run/configuration.ts";
import type { Deployments } from "../run/deployments.ts";
import { listPage } from "../run/listing.ts";
import { keyOf, resourceName } from "../run/naming.ts";
import { createPolicyRoutes } from "../run/policy-routes.ts";
import { placeOf, projectOf, scopeOf } from "../run/place.ts";
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
  const on = (call: Call) => resourceName(placeOf(state, call), param(call, "service"));
  const inProject = (call: Call) => `projects/${projectOf(state, call).projectId}`;
  const write = async (call: Call) => ({
    place: placeOf(state, call),
    body: await call.body.json(),
    principal: principalOf(call),
    dryRun: isDryRun(call),
  });
  return {
    list: {
      permission: "run.services.list",
      resource: inProject,
      handle: (call) => listPage("Service", servicesIn(state, call), call.url.searchParams),
    },
    get: {
      permission: "run.services.get",
      resource: on,
      handle: (call) => getService(state, placeOf(state, call), param(call, "service")),
    },
    create: {
      permission: "run.services.create",
      resource: inProject,
      handle: async (call) => {
        const request = await write(call);
        const service = createService({ state, now }, request);
        if (!request.dryRun) deployments.deploy(request.place, service.metadata.name);
        return service;
      },
    },
    replace: {
      permission: "run.services.update",
      resource: on,
      handle: async (call) => {
        const request = { ...(await write(call)), name: param(call, "service") };
        const service = replaceService({ state, now }, request);
        if (!request.dryRun) deployments.deploy(request.place, service.metadata.name);
        return service;
      },
    },
    delete: {
      permission: "run.services.delete",
      resource: on,
      handle: (call) => {
        const { metadata } = getService(state, placeOf(state, call), param(call, "service"));
        if (!isDryRun(call)) deployments.abandon(deleteService(state, placeOf(state, call), metadata.name));
        return { status: "Success", details: { name: metadata.name, uid: metadata.uid, kind: "services", group: "serving.knative.dev" } };
      },
    },
    ...createPolicyRoutes(state),
  } satisfies Record<string, Route>;
}

function createViewRoutes({ state, deployments }: RunOptions) {
  const inProject = (call: Call) => `projects/${projectOf(state, call).projectId}`;
  const ofService = (call: Call) => resourceName(placeOf(state, call), param(call, "service"));
  const ofRevision = (call: Call) => {
    const revision = state.revisions.get(keyOf(placeOf(state, call), param(call, "revision")));
    return revision ? resourceName(placeOf(state, call), serviceOf(revision)) : inProject(call);
  };
  const service = (call: Call) => getService(state, placeOf(state, call), param(call, "service"));
  const list = (permission: string, handle: Route["handle"]): Route => ({ permission, resource: inProject, handle });
  return {
    revisions: {
      list: list("run.revisions.list", (call) => listPage("Revision", state.revisions.list(scopeOf(state, call)), call.url.searchParams)),
      get: {
        permission: "run.revisions.get",
        resource: ofRevision,
        handle: (call: Call) => getRevision(state, placeOf(state, call), param(call, "revision")),
      },
      delete: {
        permission: "run.revisions.delete",
        resource: ofRevision,
        handle: (call: Call) => {
          const place = placeOf(state, call);
          const { metadata } = getRevision(state, place, param(call, "revision"));
          deleteRevision(state, place, metadata.name);
          deployments.abandon([keyOf(place, metadata.name)]);
          return {
            status: "Success",
            details: { name: metadata.name, uid: metadata.uid, kind: "revisions", group: "serving.knative.dev" },
          };
        },
      },
    },
    configurations: {
      list: list("run.configurations.list", (call) =>
        listPage("Configuration", servicesIn(state, call).map(configurationOf), call.url.searchParams),
      ),
      get: { permission: "run.configurations.get", resource: ofService, handle: (call: Call) => configurationOf(service(call)) },
    },
    routes: {
      list: list("run.routes.list", (call) => listPage("Route", servicesIn(state, call).map(routeOf), call.url.searchParams)),
      get: { permission: "run.routes.get", resource: ofService, handle: (call: Call) => routeOf(service(call)) },
    },
    locations: { list: list("run.locations.list", (call) => ({ locations: listLocations(projectOf(state, call)) })) },
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

function servicesIn(state: State, call: Call) {
  return state.services.list(scopeOf(state, call));
}

function isDryRun({ url }: Call): boolean {
  return url.searchParams.get("dryRun") === "all";
}
