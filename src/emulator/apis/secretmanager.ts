import { param, principalOf, type Call } from "../server/call.ts";
import { readPolicy, setPolicy, testPermissions } from "../iam/policy.ts";
import { page } from "./pagination.ts";
import type { Secret } from "../secrets/secret.ts";
import type { Api, Handler, Route } from "../server/router.ts";
import { removeOrphanedPayloads } from "../secrets/payloads.ts";
import { createSecret, deleteSecret, findSecret, secretKey, updateSecret, type SecretsRuntime } from "../secrets/secrets.ts";
import { accessVersion, addVersion, changeVersion, findVersion, versionMessage } from "../secrets/versions.ts";
import { requireProject } from "../builds/new-build.ts";
import { crc32c } from "../storage/crc32c.ts";

const STATES = { enable: "ENABLED", disable: "DISABLED", destroy: "DESTROYED" } as const;

// Unlike Cloud Run: secrets do not expire, rotate, tell topics, or lie in one region; what asks for that is not kept.
/** Secret Manager: https://cloud.google.com/secret-manager/docs/reference/rest/v1 */
export function createSecretManagerApi(manager: SecretsRuntime): Api {
  const { state } = manager;
  removeOrphanedPayloads(state);
  const keyOf = (call: Call) => secretKey(manager, param(call, "project"), param(call, "secret"));
  const resource = (call: Call) => `projects/${param(call, "project")}/secrets/${param(call, "secret")}`;
  const existing = (call: Call) => {
    findSecret(state, keyOf(call));
    return resource(call);
  };
  const route = (permission: string, handle: Handler): Route => ({ permission: `secretmanager.${permission}`, resource, handle });
  const inProject = (permission: string, handle: Handler): Route => ({ permission: `secretmanager.${permission}`, handle });
  const version = (call: Call) => [keyOf(call), param(call, "version")] as const;
  const change = (verb: keyof typeof STATES): Route =>
    route(`versions.${verb}`, async (call) =>
      versionMessage(changeVersion(manager, ...version(call), STATES[verb], (await call.body.json())["etag"])),
    );

  const secrets = "/v1/projects/{project}/secrets";
  return {
    hosts: ["secretmanager.googleapis.com"],
    routes: {
      [`POST ${secrets}`]: inProject("secrets.create", async (call) =>
        createSecret(manager, param(call, "project"), call.url.searchParams.get("secretId") ?? "", await call.body.json()),
      ),
      [`GET ${secrets}`]: inProject("secrets.list", (call) => {
        const { projectId } = requireProject(manager, param(call, "project"));
        return list("secrets", state.secrets.list(`${projectId}/`).sort(byAge), call);
      }),
      [`GET ${secrets}/{secret}`]: route("secrets.get", (call) => findSecret(state, keyOf(call))),
      [`PATCH ${secrets}/{secret}`]: route("secrets.update", async (call) => {
        const mask = (call.url.searchParams.get("updateMask") ?? "").split(",").filter(Boolean);
        return updateSecret(manager, keyOf(call), await call.body.json(), mask);
      }),
      [`DELETE ${secrets}/{secret}`]: route("secrets.delete", (call) => {
        deleteSecret(manager, keyOf(call));
        return {};
      }),
      [`POST ${secrets}/{secret}:addVersion`]: route("versions.add", async (call) =>
        versionMessage(addVersion(manager, keyOf(call), await call.body.json())),
      ),
      [`GET ${secrets}/{secret}:getIamPolicy`]: route("secrets.getIamPolicy", (call) => readPolicy(state, existing(call), call)),
      [`POST ${secrets}/{secret}:setIamPolicy`]: route("secrets.setIamPolicy", async (call) =>
        setPolicy(state, existing(call), (await call.body.json())["policy"]),
      ),
      [`POST ${secrets}/{secret}:testIamPermissions`]: {
        handle: async (call) => ({
          permissions: testPermissions(state, principalOf(call), (await call.body.json())["permissions"], resource(call)),
        }),
      },
      [`GET ${secrets}/{secret}/versions`]: route("versions.list", (call) => {
        findSecret(state, keyOf(call));
        return list(
          "versions",
          state.secretVersions
            .list(`${keyOf(call)}/`)
            .reverse()
            .map(versionMessage),
          call,
        );
      }),
      [`GET ${secrets}/{secret}/versions/{version}`]: route("versions.get", (call) => versionMessage(findVersion(state, ...version(call)))),
      [`GET ${secrets}/{secret}/versions/{version}:access`]: route("versions.access", (call) => {
        const { version: found, data } = accessVersion(state, ...version(call));
        return { name: found.name, payload: { data: data.toString("base64"), dataCrc32c: String(crc32c(data)) } };
      }),
      [`POST ${secrets}/{secret}/versions/{version}:enable`]: change("enable"),
      [`POST ${secrets}/{secret}/versions/{version}:disable`]: change("disable"),
      [`POST ${secrets}/{secret}/versions/{version}:destroy`]: change("destroy"),
    },
  };
}

function list(name: string, all: readonly unknown[], { url }: Call): object {
  return { ...page(name, all, url.searchParams), totalSize: all.length };
}

function byAge(a: Secret, b: Secret): number {
  return a.createTime < b.createTime ? 1 : -1;
}
