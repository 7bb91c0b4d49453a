import { requireProject } from "../state/projects.ts";
import type { ApiRequest } from "../server/api-request.ts";
import { API_TITLES, DEFAULT_APIS } from "./enabled-apis.ts";
import { ApiError, errorInfo, invalidArgument } from "../server/errors.ts";
import { listPage } from "./pagination.ts";
import type { Project } from "../state/resources.ts";
import { type Api, type Handler, route } from "../server/router.ts";
import type { Runtime } from "../runtime.ts";

type UsageRuntime = Pick<Runtime, "state" | "now">;

/** Google's limit. */
const MAX_BATCH_SIZE = 20;

/** Service Usage: https://cloud.google.com/service-usage/docs/reference/rest/v1 */
export function createServiceUsageApi(usage: UsageRuntime): Api {
  const project = (request: ApiRequest): Project => requireProject(usage.state, request.param("project"));
  const change = (request: ApiRequest, names: readonly string[], enabled: boolean): void => {
    const { projectId } = project(request);
    for (const name of names) checkName(name);
    usage.state.transaction(() => {
      for (const name of names) {
        if (!enabled) usage.state.apis.delete(`${projectId}/${name}`);
        else if (!usage.state.apis.get(`${projectId}/${name}`))
          usage.state.apis.set(`${projectId}/${name}`, { name, enabledAt: new Date(usage.now()).toISOString() });
      }
    });
  };
  const changeOne =
    (verb: "enable" | "disable"): Handler =>
    (request) => {
      change(request, [request.param("service")], verb === "enable");
      return operation(usage, project(request), verb, [request.param("service")]);
    };

  return {
    hosts: ["serviceusage.googleapis.com"],
    routes: {
      "GET /v1/projects/{project}/services": route("serviceusage.services.list", (request) =>
        listServices(usage, project(request), request.query),
      ),
      "GET /v1/projects/{project}/services:batchGet": route("serviceusage.services.get", (request) => {
        const names = request.query.getAll("names").map((name) => name.split("/").at(-1) ?? "");
        return { services: names.map((name) => service(usage, project(request), name)) };
      }),
      "POST /v1/projects/{project}/services:batchEnable": route("serviceusage.services.enable", async (request) => {
        const { serviceIds } = await request.body.json();
        if (!isListOfNames(serviceIds)) throw invalidArgument(`A batch must name from 1 to ${MAX_BATCH_SIZE} services.`);
        change(request, serviceIds, true);
        return operation(usage, project(request), "batchEnable", serviceIds);
      }),
      "GET /v1/projects/{project}/services/{service}": route("serviceusage.services.get", (request) =>
        service(usage, project(request), request.param("service")),
      ),
      "POST /v1/projects/{project}/services/{service}:enable": route("serviceusage.services.enable", changeOne("enable")),
      "POST /v1/projects/{project}/services/{service}:disable": route("serviceusage.services.disable", changeOne("disable")),
      // As at Google, anyone who knows an operation's name can see its result.
      "GET /v1/operations/{operation}": { handle: (request) => getOperation(usage, request.param("operation")) },
    },
  };
}

function service({ state }: UsageRuntime, { projectId, projectNumber }: Project, name: string): object {
  checkName(name);
  return {
    name: `projects/${projectNumber}/services/${name}`,
    parent: `projects/${projectNumber}`,
    config: { name, title: API_TITLES[name] ?? name, usage: { requirements: ["serviceusage.googleapis.com/tos/cloud"] } },
    state: state.apis.get(`${projectId}/${name}`) ? "ENABLED" : "DISABLED",
  };
}

function listServices(usage: UsageRuntime, project: Project, query: URLSearchParams): object {
  const [, wanted] = /^state:(ENABLED|DISABLED)$/.exec(query.get("filter") ?? "") ?? [];
  if (query.get("filter") && !wanted) throw invalidArgument("The allowed filter strings are state:ENABLED and state:DISABLED.");
  const enabled = usage.state.apis.list(`${project.projectId}/`).map(({ name }) => name);
  const names = [...new Set([...enabled, ...(wanted === "ENABLED" ? [] : DEFAULT_APIS)])].sort();
  const services = names
    .filter((name) => !wanted || (wanted === "ENABLED") === enabled.includes(name))
    .map((name) => service(usage, project, name));
  return listPage(query, "services", services);
}

// Unlike Cloud Run: every name that could be a Google API is taken to exist.
function checkName(name: string): void {
  if (/^[a-z][a-z0-9-]*\.googleapis\.com$/.test(name)) return;
  throw new ApiError("PERMISSION_DENIED", `Not found or permission denied for service(s): ${name}.`, [
    errorInfo("SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED", { services: name }, "serviceusage.googleapis.com"),
  ]);
}

function isListOfNames(names: unknown): names is string[] {
  return Array.isArray(names) && names.length > 0 && names.length <= MAX_BATCH_SIZE && names.every((name) => typeof name === "string");
}

const RESPONSES = {
  enable: "EnableServiceResponse",
  disable: "DisableServiceResponse",
  batchEnable: "BatchEnableServicesResponse",
} as const;

// Unlike Cloud Run: changes that take Google a moment are done at once, so an operation consists of its name and the current state.
function operation(usage: UsageRuntime, project: Project, verb: keyof typeof RESPONSES, names: readonly string[]): object {
  const services = names.map((name) => service(usage, project, name));
  const response = verb === "batchEnable" ? { services } : { service: services[0] };
  const id = Buffer.from([verb, ...names].join(",")).toString("base64url");
  return {
    name: `operations/acat.p2-${project.projectNumber}-${id}`,
    done: true,
    response: { "@type": `type.googleapis.com/google.api.serviceusage.v1.${RESPONSES[verb]}`, ...response },
  };
}

function getOperation(usage: UsageRuntime, operationId: string): object {
  const [, number = "", id = ""] = /^acat\.p2-(\d+)-([\w-]+)$/.exec(operationId) ?? [];
  const [verb = "", ...names] = Buffer.from(id, "base64url").toString("utf8").split(",");
  if (!Object.hasOwn(RESPONSES, verb)) throw new ApiError("NOT_FOUND", `Operation not found: operations/${operationId}`);
  return operation(usage, requireProject(usage.state, number), verb as keyof typeof RESPONSES, names);
}
