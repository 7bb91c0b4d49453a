import { requireProject } from "../state/projects.ts";
import type { ApiRequest } from "../server/api-request.ts";
import { policyRoutes } from "../iam/policy-routes.ts";
import { listPage } from "./pagination.ts";
import type { Secret } from "../secrets/secret.ts";
import type { Api, Handler, Route } from "../server/router.ts";
import { removeOrphanedPayloads } from "../secrets/payloads.ts";
import { createSecret, deleteSecret, findSecret, secretKey, updateSecret, type SecretsRuntime } from "../secrets/secrets.ts";
import { accessVersion, addVersion, changeVersion, findVersion, versionMessage } from "../secrets/versions.ts";
import { crc32c } from "../storage/crc32c.ts";

const STATES = { enable: "ENABLED", disable: "DISABLED", destroy: "DESTROYED" } as const;

// Unlike Cloud Run: secrets don't expire, rotate, notify topics, or belong to a region; these settings are ignored.
/** Secret Manager: https://cloud.google.com/secret-manager/docs/reference/rest/v1 */
export function createSecretManagerApi(manager: SecretsRuntime): Api {
  const { state } = manager;
  removeOrphanedPayloads(state);
  const keyOf = (request: ApiRequest) => secretKey(manager, request.param("project"), request.param("secret"));
  const resource = (request: ApiRequest) => `projects/${request.param("project")}/secrets/${request.param("secret")}`;
  const policies = policyRoutes(state, "secretmanager.secrets", resource, (request) => void findSecret(state, keyOf(request)));
  const route = (permission: string, handle: Handler): Route => ({ permission: `secretmanager.${permission}`, resource, handle });
  const projectRoute = (permission: string, handle: Handler): Route => ({ permission: `secretmanager.${permission}`, handle });
  const version = (request: ApiRequest) => [keyOf(request), request.param("version")] as const;
  const changeRoute = (verb: keyof typeof STATES): Route =>
    route(`versions.${verb}`, async (request) =>
      versionMessage(changeVersion(manager, ...version(request), STATES[verb], (await request.body.json())["etag"])),
    );

  const secrets = "/v1/projects/{project}/secrets";
  return {
    hosts: ["secretmanager.googleapis.com"],
    routes: {
      [`POST ${secrets}`]: projectRoute("secrets.create", async (request) =>
        createSecret(manager, request.param("project"), request.query.get("secretId") ?? "", await request.body.json()),
      ),
      [`GET ${secrets}`]: projectRoute("secrets.list", (request) => {
        const { projectId } = requireProject(manager.state, request.param("project"));
        return list("secrets", state.secrets.list(`${projectId}/`).sort(compareCreateTimes), request);
      }),
      [`GET ${secrets}/{secret}`]: route("secrets.get", (request) => findSecret(state, keyOf(request))),
      [`PATCH ${secrets}/{secret}`]: route("secrets.update", async (request) => {
        const mask = (request.query.get("updateMask") ?? "").split(",").filter(Boolean);
        return updateSecret(manager, keyOf(request), await request.body.json(), mask);
      }),
      [`DELETE ${secrets}/{secret}`]: route("secrets.delete", (request) => {
        deleteSecret(manager, keyOf(request));
        return {};
      }),
      [`POST ${secrets}/{secret}:addVersion`]: route("versions.add", async (request) =>
        versionMessage(addVersion(manager, keyOf(request), await request.body.json())),
      ),
      [`GET ${secrets}/{secret}:getIamPolicy`]: policies.getIamPolicy,
      [`POST ${secrets}/{secret}:setIamPolicy`]: policies.setIamPolicy,
      [`POST ${secrets}/{secret}:testIamPermissions`]: policies.testIamPermissions,
      [`GET ${secrets}/{secret}/versions`]: route("versions.list", (request) => {
        findSecret(state, keyOf(request));
        return list(
          "versions",
          state.secretVersions
            .list(`${keyOf(request)}/`)
            .reverse()
            .map(versionMessage),
          request,
        );
      }),
      [`GET ${secrets}/{secret}/versions/{version}`]: route("versions.get", (request) =>
        versionMessage(findVersion(state, ...version(request))),
      ),
      [`GET ${secrets}/{secret}/versions/{version}:access`]: route("versions.access", (request) => {
        const { version: found, data } = accessVersion(state, ...version(request));
        return { name: found.name, payload: { data: data.toString("base64"), dataCrc32c: String(crc32c(data)) } };
      }),
      [`POST ${secrets}/{secret}/versions/{version}:enable`]: changeRoute("enable"),
      [`POST ${secrets}/{secret}/versions/{version}:disable`]: changeRoute("disable"),
      [`POST ${secrets}/{secret}/versions/{version}:destroy`]: changeRoute("destroy"),
    },
  };
}

function list(name: string, all: readonly unknown[], { query }: ApiRequest): object {
  return { ...listPage(query, name, all), totalSize: all.length };
}

function compareCreateTimes(a: Secret, b: Secret): number {
  return a.createTime < b.createTime ? 1 : -1;
}
