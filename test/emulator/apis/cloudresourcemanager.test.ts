import { expect, test } from "vitest";
import { createArtifactRegistryApi } from "../../../src/emulator/apis/artifactregistry.ts";
import { createResourceManagerApi } from "../../../src/emulator/apis/cloudresourcemanager.ts";
import { openTestState, OWNER, PROJECT, PROJECT_NUMBER, serveApis, signIn } from "../../helpers/api-server.ts";

const HOST = "cloudresourcemanager.googleapis.com";

async function serve() {
  const state = openTestState();
  return { ...(await serveApis([createResourceManagerApi({ state, now: Date.now })], state)), state };
}

test("a project is returned by id and by number, in both API versions", async () => {
  const { request } = await serve();
  const v1 = {
    projectId: PROJECT,
    projectNumber: PROJECT_NUMBER,
    lifecycleState: "ACTIVE",
    name: "Demo",
    createTime: "2026-01-01T00:00:00Z",
  };
  expect((await request("GET", HOST, `/v1/projects/${PROJECT}`)).json).toEqual(v1);
  expect((await request("GET", HOST, `/v1/projects/${PROJECT_NUMBER}`)).json).toEqual(v1);
  expect((await request("GET", HOST, `/v3/projects/${PROJECT}`)).json).toMatchObject({
    name: `projects/${PROJECT_NUMBER}`,
    projectId: PROJECT,
    state: "ACTIVE",
  });
  expect((await request("POST", HOST, `/v1/projects/${PROJECT}:getAncestry`, { body: {} })).json).toEqual({
    ancestor: [{ resourceId: { type: "project", id: PROJECT } }],
  });
});

test("a deleted project is shown as deleted, refused by other APIs, and can be restored", async () => {
  const state = openTestState();
  const { request } = await serveApis(
    [createResourceManagerApi({ state, now: Date.now }), createArtifactRegistryApi({ state, now: Date.now })],
    state,
  );
  const look = async () => (await request("GET", HOST, `/v1/projects/${PROJECT}`)).json["lifecycleState"];
  const use = () => request("GET", "artifactregistry.googleapis.com", `/v1/projects/${PROJECT}/locations/us/repositories`);
  expect((await request("POST", HOST, `/v1/projects/${PROJECT}:undelete`, { body: {} })).status).toBe(400);
  expect((await request("DELETE", HOST, `/v1/projects/${PROJECT}`)).status).toBe(200);
  expect(await look()).toBe("DELETE_REQUESTED");
  expect((await request("GET", HOST, `/v3/projects/${PROJECT}`)).json["state"]).toBe("DELETE_REQUESTED");
  expect((await request("DELETE", HOST, `/v1/projects/${PROJECT}`)).status).toBe(400);
  const refused = (await use()).json["error"];
  expect(refused).toMatchObject({
    code: 403,
    message: `Permission denied on resource project ${PROJECT}.`,
    details: [{ reason: "CONSUMER_INVALID" }],
  });
  expect((await request("POST", HOST, `/v1/projects/${PROJECT}:undelete`, { body: {} })).status).toBe(200);
  expect([await look(), (await use()).status]).toEqual(["ACTIVE", 200]);
});

test("a project that doesn't exist is refused in the same words as one that the caller can't see", async () => {
  const { request, state } = await serve();
  signIn(state, `nobody@${PROJECT}.iam.gserviceaccount.com`, "ya29.nobody");
  const hidden = await request("GET", HOST, `/v1/projects/${PROJECT}`, { token: "ya29.nobody" });
  const missing = await request("GET", HOST, "/v1/projects/no-such-project");
  expect(hidden.json["error"]).toMatchObject({ code: 403, status: "PERMISSION_DENIED", message: "The caller does not have permission" });
  expect([missing.status, missing.json["error"].message]).toEqual([403, hidden.json["error"].message]);
});

test("the list contains the projects that the caller can see, and applies a filter", async () => {
  const { request, state } = await serve();
  state.projects.set("other-project", {
    projectId: "other-project",
    projectNumber: "210987654321",
    name: "Other",
    createTime: "2026-01-01T00:00:00Z",
  });
  const ids = async (filter: string) =>
    (await request("GET", HOST, `/v1/projects?filter=${encodeURIComponent(filter)}`)).json["projects"].map(
      ({ projectId }: { projectId: string }) => projectId,
    );
  expect(await ids("")).toEqual([PROJECT]);
  expect(await ids("lifecycleState:ACTIVE")).toEqual([PROJECT]);
  expect(await ids(`lifecycleState:ACTIVE AND (projectId:demo*)`)).toEqual([PROJECT]);
  expect(await ids("name=Other")).toEqual([]);
  expect((await request("GET", HOST, "/v1/projects?filter=labels.a:b")).status).toBe(400);
  expect((await request("GET", HOST, "/v3/projects:search")).json["projects"]).toHaveLength(1);
});

test("a policy is read, changed and written back; a stale etag is refused", async () => {
  const { request, state } = await serve();
  signIn(state, `caller@${PROJECT}.iam.gserviceaccount.com`, "ya29.caller");
  const read = async () => (await request("POST", HOST, `/v1/projects/${PROJECT}:getIamPolicy`, { body: {} })).json;
  const write = (policy: object) => request("POST", HOST, `/v1/projects/${PROJECT}:setIamPolicy`, { body: { policy } });
  const before = await read();
  expect(before["bindings"]).toEqual([{ role: "roles/owner", members: [`serviceAccount:${OWNER}`] }]);
  const binding = { role: "roles/run.invoker", members: [`serviceAccount:caller@${PROJECT}.iam.gserviceaccount.com`] };
  const written = await write({ ...before, bindings: [...before["bindings"], binding] });
  expect(written.json["bindings"]).toContainEqual(binding);
  expect(await read()).toEqual(written.json);
  const stale = await write(before);
  expect([stale.status, stale.json["error"].status]).toEqual([409, "ABORTED"]);
});

test("an etag in base64url, as gcloud sends it, is the same etag", async () => {
  const { request, state } = await serve();
  const policy = state.policies.get(`projects/${PROJECT}`);
  state.policies.set(`projects/${PROJECT}`, { version: 1, bindings: policy?.bindings ?? [], etag: "+/+/+/8=" });
  const answer = await request("POST", HOST, `/v1/projects/${PROJECT}:setIamPolicy`, {
    body: { policy: { bindings: policy?.bindings, etag: "-_-_-_8=" } },
  });
  expect(answer.status).toBe(200);
});

test("testIamPermissions returns the caller's permissions, even if there are none", async () => {
  const { request, state } = await serve();
  signIn(state, `nobody@${PROJECT}.iam.gserviceaccount.com`, "ya29.nobody");
  const permissions = ["run.services.create", "resourcemanager.projects.get"];
  const test = async (token?: string) =>
    (await request("POST", HOST, `/v1/projects/${PROJECT}:testIamPermissions`, { ...(token && { token }), body: { permissions } })).json;
  expect(await test()).toEqual({ permissions });
  expect(await test("ya29.nobody")).toEqual({ permissions: [] });
});

test("a project is created with its accounts, and its creator owns it", async () => {
  const { request, state } = await serve();
  signIn(state, `maker@${PROJECT}.iam.gserviceaccount.com`, "ya29.maker");
  const create = (body: object) => request("POST", HOST, "/v1/projects", { body, token: "ya29.maker" });
  expect((await create({ projectId: "new-project", name: "New" })).json).toMatchObject({
    done: true,
    response: { projectId: "new-project", name: "New", lifecycleState: "ACTIVE" },
  });
  const read = (token: string) => request("GET", HOST, "/v1/projects/new-project", { token });
  expect((await read("ya29.maker")).json).toMatchObject({ projectId: "new-project", name: "New" });
  expect((await read("ya29.owner")).status).toBe(403);
  expect(state.serviceAccounts.get("caller@new-project.iam.gserviceaccount.com")).toBeDefined();
  expect([(await create({ projectId: "new-project" })).status, (await create({ projectId: "No" })).status]).toEqual([409, 400]);
});
