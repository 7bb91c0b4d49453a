import type { ApiRequest } from "../server/api-request.ts";
import type { Principal } from "../iam/principal.ts";
import { ApiError, invalidArgument } from "../server/errors.ts";
import { authorize } from "../iam/policy.ts";
import { listEntries } from "../logging/list-entries.ts";
import type { LogStore } from "../logging/log-store.ts";
import { compileQuery } from "../logging/query.ts";
import { readEntries } from "../logging/write-entries.ts";
import { listPage } from "./pagination.ts";
import { findProject } from "../state/projects.ts";
import type { Api } from "../server/router.ts";
import type { State } from "../state/state.ts";

/** https://cloud.google.com/logging/docs/reference/v2/rest */
export function createLoggingApi({ state, logs }: { readonly state: State; readonly logs: LogStore }): Api {
  const projectIdOf = (idOrNumber: string): string => {
    const project = findProject(state, idOrNumber);
    if (!project) throw new ApiError("NOT_FOUND", `Project '${idOrNumber}' does not exist.`);
    return project.projectId;
  };

  return {
    hosts: ["logging.googleapis.com"],
    routes: {
      "POST /v2/entries:list": {
        handle: async (request) => {
          const { resourceNames, projectIds, filter = "", ...body } = await request.body.json();
          const projects = new Set(
            [...parseNames(resourceNames), ...parseNames(projectIds).map((id) => `projects/${id}`)].map(parseResourceName),
          );
          if (projects.size === 0) throw invalidArgument("resource_names must be specified.");
          for (const project of projects) authorizeOn(state, request, "logging.logEntries.list", project);
          const names = new Set([...projects].map(projectIdOf));
          const fits = compileQuery(String(filter));
          return listEntries(logs, { ...body, fits: (entry) => names.has(entry.logName.split("/")[1] ?? "") && fits(entry) });
        },
      },
      "POST /v2/entries:write": {
        handle: async (request) => {
          const body = await request.body.json();
          const entries = readEntries(body, (project) => {
            authorizeOn(state, request, "logging.logEntries.create", project);
            return projectIdOf(project);
          });
          if (body["dryRun"] === true) return {};
          logs.append(entries);
          logs.flush();
          return {};
        },
      },
      "GET /v2/projects/{project}/logs": {
        permission: "logging.logs.list",
        handle: async (request) => {
          const prefix = `projects/${projectIdOf(request.param("project"))}/`;
          const names = new Set<string>();
          for await (const { logName } of logs.read()) if (logName.startsWith(prefix)) names.add(logName);
          return listPage(request.query, "logNames", [...names].sort());
        },
      },
    },
  };
}

function authorizeOn(state: State, request: ApiRequest, permission: string, project: string): void {
  authorize(state, request.principal as Principal, permission, `projects/${project}`);
}

function parseNames(names: unknown): string[] {
  if (names === undefined || names === null) return [];
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string"))
    throw invalidArgument("Invalid value at 'resource_names'.");
  return names;
}

// Unlike Cloud Run: all entries of a project are in one bucket, and every view shows all of them.
function parseResourceName(name: string): string {
  const project = /^projects\/([^/]+)(\/locations\/[^/]+\/buckets\/[^/]+\/views\/[^/]+)?$/.exec(name)?.[1];
  if (project === undefined) throw invalidArgument(`The emulator stores only log entries of projects, not of '${name}'.`);
  return project;
}
