import type { ApiRequest } from "../server/api-request.ts";
import { ApiError, invalidArgument, permissionDenied } from "../server/errors.ts";
import { parseFilter } from "./filter.ts";
import { getPolicy, isAllowed, readPolicy, setPolicy, testPermissions } from "../iam/policy.ts";
import { orgPolicyRoutes } from "../organization/org-policy-routes.ts";
import { listPage } from "./pagination.ts";
import { findProject } from "../state/projects.ts";
import type { Project } from "../state/resources.ts";
import type { Api, Handler, Route } from "../server/router.ts";
import type { Runtime } from "../runtime.ts";
import { createCallerKey, createProject } from "../iam/create-project.ts";

/** The project fields that a filter can use, by the names that it can use for them. */
const FIELDS: Readonly<Record<string, string>> = {
  projectId: "projectId",
  id: "projectId",
  projectNumber: "projectNumber",
  name: "name",
  lifecycleState: "lifecycleState",
};

/** Resource Manager, for projects: https://cloud.google.com/resource-manager/reference/rest */
export function createResourceManagerApi(runtime: Pick<Runtime, "state" | "now">): Api {
  const { state } = runtime;
  /** The project, if the caller has the permission on it; a project that doesn't exist is refused in the same words. */
  const requirePermission = (request: ApiRequest, permission: string): Project => {
    const resource = `projects/${request.param("project")}`;
    const project = findProject(state, request.param("project"));
    if (project && isAllowed(state, request.principal, permission, resource)) return project;
    throw new ApiError("PERMISSION_DENIED", "The caller does not have permission", permissionDenied(permission, resource).details);
  };
  const visibleProjects = ({ principal }: ApiRequest): Project[] =>
    state.projects.list().filter(({ projectId }) => isAllowed(state, principal, "resourcemanager.projects.get", `projects/${projectId}`));

  const listProjects = (request: ApiRequest): object[] => {
    const filter = parseFilter(request.query.get("filter") ?? "", Object.keys(FIELDS));
    return visibleProjects(request)
      .map(v1Message)
      .filter((project) => filter((name) => project[FIELDS[name] ?? ""]));
  };

  const change = (permission: string, deletes: boolean): Route => ({
    handle: (request) => {
      const { deleted, ...project } = requirePermission(request, permission);
      if (deletes === (deleted ?? false))
        throw new ApiError("FAILED_PRECONDITION", `The project is ${deletes ? "not active" : "not in the state DELETE_REQUESTED"}.`);
      state.projects.set(project.projectId, { ...project, ...(deletes && { deleted: true as const }) });
      return {};
    },
  });

  const getIamPolicy: Handler = (request) =>
    readPolicy(state, `projects/${requirePermission(request, "resourcemanager.projects.getIamPolicy").projectId}`, request);
  const setIamPolicy: Handler = async (request) => {
    const { projectId } = requirePermission(request, "resourcemanager.projects.setIamPolicy");
    const { policy } = await request.body.json();
    return setPolicy(state, `projects/${projectId}`, policy);
  };
  const testIamPermissions: Handler = async (request) => {
    const { permissions } = await request.body.json();
    const { principal } = request;
    return principal ? { permissions: testPermissions(state, principal, permissions, `projects/${request.param("project")}`) } : {};
  };

  return {
    hosts: ["cloudresourcemanager.googleapis.com"],
    routes: {
      "GET /v1/projects": { handle: (request) => listPage(request.query, "projects", listProjects(request)) },
      "POST /v1/projects": { handle: (request) => create(runtime, request) },
      "GET /v1/projects/{project}": { handle: (request) => v1Message(requirePermission(request, "resourcemanager.projects.get")) },
      "DELETE /v1/projects/{project}": change("resourcemanager.projects.delete", true),
      "POST /v1/projects/{project}:undelete": change("resourcemanager.projects.undelete", false),
      "POST /v1/projects/{project}:getIamPolicy": { handle: getIamPolicy },
      "POST /v1/projects/{project}:setIamPolicy": { handle: setIamPolicy },
      "POST /v1/projects/{project}:testIamPermissions": { handle: testIamPermissions },
      "POST /v1/projects/{project}:getAncestry": {
        handle: (request) => ({
          ancestor: [{ resourceId: { type: "project", id: requirePermission(request, "resourcemanager.projects.get").projectId } }],
        }),
      },
      ...orgPolicyRoutes(runtime, requirePermission),
      "GET /v3/projects:search": { handle: (request) => listPage(request.query, "projects", visibleProjects(request).map(v3Message)) },
      "GET /v3/projects/{project}": { handle: (request) => v3Message(requirePermission(request, "resourcemanager.projects.get")) },
      "POST /v3/projects/{project}:getIamPolicy": { handle: getIamPolicy },
      "POST /v3/projects/{project}:setIamPolicy": { handle: setIamPolicy },
      "POST /v3/projects/{project}:testIamPermissions": { handle: testIamPermissions },
    },
  };
}

// Unlike Cloud Run: projects have no organization, and anyone with an account can create one.
async function create(runtime: Pick<Runtime, "state" | "now">, request: ApiRequest): Promise<object> {
  const { state } = runtime;
  const { projectId, name } = await request.body.json();
  if (typeof projectId !== "string" || !/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(projectId))
    throw invalidArgument("field [project_id] has issue [project_id contains invalid characters or has a wrong length]");
  if (state.projects.get(projectId)) throw new ApiError("ALREADY_EXISTS", "Requested entity already exists");
  await createProject(runtime, projectId);
  await createCallerKey(runtime, projectId);
  const project = { ...(state.projects.get(projectId) as Project), ...(typeof name === "string" && name !== "" && { name }) };
  state.transaction(() => {
    state.projects.set(projectId, project);
    const policy = getPolicy(state, `projects/${projectId}`);
    const owner = { role: "roles/owner", members: [request.principal?.member ?? ""] };
    setPolicy(state, `projects/${projectId}`, { ...policy, bindings: [...policy.bindings, owner] });
  });
  const response = { "@type": "type.googleapis.com/google.cloudresourcemanager.v1.Project", ...v1Message(project) };
  return { name: `operations/cp.${project.projectNumber}`, done: true, response };
}

function v1Message({ deleted, projectId, projectNumber, name, createTime }: Project): Readonly<Record<string, string>> {
  return { projectNumber, projectId, lifecycleState: deleted ? "DELETE_REQUESTED" : "ACTIVE", name, createTime };
}

function v3Message({ deleted, projectId, projectNumber, name, createTime }: Project): object {
  return {
    name: `projects/${projectNumber}`,
    projectId,
    state: deleted ? "DELETE_REQUESTED" : "ACTIVE",
    displayName: name,
    createTime,
    updateTime: createTime,
  };
}
