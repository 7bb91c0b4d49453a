import { expect, test, vi } from "vitest";
import type { KnativeService } from "../../../src/emulator/run/knative.ts";
import { PROJECT, PROJECT_NUMBER, signIn } from "../../helpers/api-server.ts";
import { addImage } from "../../helpers/node-engine.ts";
import { HOST, IMAGE, LOCATION, openRun, REVISIONS, service, SERVICES } from "../../helpers/run-server.ts";

const GLOBAL = "run.googleapis.com";

test("deleting a service deletes its revisions, policy and instances", async () => {
  const { state, engine, send, deploy } = await openRun();
  addImage(state, IMAGE);
  await deploy();
  await send("POST", `${LOCATION}/services/hello:setIamPolicy`, {
    policy: { bindings: [{ role: "roles/run.invoker", members: ["allUsers"] }] },
  });
  expect((await send("DELETE", `${SERVICES}/hello?dryRun=all`)).status).toBe(200);
  expect((await send("GET", `${SERVICES}/hello`)).status).toBe(200);
  expect(await send("DELETE", `${SERVICES}/hello`)).toMatchObject({ status: 200, json: { status: "Success" } });
  const gone = await send("GET", `${SERVICES}/hello`);
  expect(gone).toEqual({
    status: 404,
    json: {
      error: {
        code: 404,
        status: "NOT_FOUND",
        message: "Resource 'hello' of kind 'SERVICE' in region 'us-central1' in project 'demo-project' does not exist.",
      },
    },
  });
  expect(state.revisions.list()).toEqual([]);
  await vi.waitFor(() => expect(engine.alive).toBe(0));
  await deploy();
  expect((await send("GET", `${LOCATION}/services/hello:getIamPolicy`)).json["bindings"]).toEqual([]);
});

test("a write with an outdated version, another name, or an existing name is refused", async () => {
  const { state, send, deploy } = await openRun();
  addImage(state, IMAGE);
  const old = await deploy();
  await deploy({ nonce: "second" });
  const version = state.services.get(`${PROJECT}/us-central1/hello`)?.metadata.resourceVersion;
  expect((await send("PUT", `${SERVICES}/hello`, old)).json["error"]).toEqual({
    code: 409,
    status: "ABORTED",
    message: `Conflict for resource 'hello': version '${old.metadata.resourceVersion}' was specified but current version is '${version}'.`,
  });
  expect((await send("PUT", `${SERVICES}/hello`, service({ name: "other" }))).json["error"]).toMatchObject({
    code: 400,
    status: "INVALID_ARGUMENT",
  });
  expect((await send("PUT", `${SERVICES}/other`, service({ name: "other" }))).json["error"]).toMatchObject({ code: 404 });
  expect((await send("POST", SERVICES, service())).json["error"]).toEqual({
    code: 409,
    status: "ALREADY_EXISTS",
    message: "Resource 'hello' already exists.",
  });
});

test("dryRun=all validates and responds, and changes nothing", async () => {
  const { state, send, deploy } = await openRun();
  addImage(state, IMAGE);
  expect(await send("POST", `${SERVICES}?dryRun=all`, service())).toMatchObject({ status: 200, json: { metadata: { generation: 1 } } });
  expect((await send("POST", `${SERVICES}?dryRun=all`, service({ name: "No" }))).status).toBe(400);
  expect(state.services.list()).toEqual([]);
  const before = await deploy();
  expect((await send("PUT", `${SERVICES}/hello?dryRun=all`, service({ nonce: "second" }))).json["metadata"].generation).toBe(2);
  expect(await send("GET", `${SERVICES}/hello`)).toEqual({ status: 200, json: before });
});

test("the deployer must be allowed to act as the service's account, which must exist", async () => {
  const { state, send } = await openRun();
  addImage(state, IMAGE);
  signIn(state, "dev@demo-project.iam.gserviceaccount.com", "dev", "roles/run.developer");
  signIn(state, "runtime@demo-project.iam.gserviceaccount.com", "runtime");
  const denied = (email: string) => ({
    status: 403,
    json: {
      error: {
        status: "PERMISSION_DENIED",
        message: `Permission 'iam.serviceaccounts.actAs' denied on service account ${email} (or it may not exist).`,
      },
    },
  });
  const runtime = "runtime@demo-project.iam.gserviceaccount.com";
  expect(await send("POST", SERVICES, service(), { token: "dev" })).toMatchObject(
    denied(`${PROJECT_NUMBER}-compute@developer.gserviceaccount.com`),
  );
  expect(await send("POST", SERVICES, service({ spec: { serviceAccountName: runtime } }), { token: "dev" })).toMatchObject(denied(runtime));
  expect(await send("POST", SERVICES, service({ spec: { serviceAccountName: "no@demo-project.iam.gserviceaccount.com" } }))).toMatchObject(
    denied("no@demo-project.iam.gserviceaccount.com"),
  );
  const policy = {
    version: 1,
    etag: "ACAB",
    bindings: [{ role: "roles/iam.serviceAccountUser", members: ["serviceAccount:dev@demo-project.iam.gserviceaccount.com"] }],
  };
  state.policies.set(`projects/${PROJECT}/serviceAccounts/${runtime}`, policy);
  expect((await send("POST", SERVICES, service({ spec: { serviceAccountName: runtime } }), { token: "dev" })).status).toBe(200);
});

test.for<[string, string, string]>([
  ["GET", SERVICES, "run.services.list"],
  ["POST", SERVICES, "run.services.create"],
  ["GET", `${SERVICES}/hello`, "run.services.get"],
  ["PUT", `${SERVICES}/hello`, "run.services.update"],
  ["DELETE", `${SERVICES}/hello`, "run.services.delete"],
  ["GET", `${LOCATION}/services/hello:getIamPolicy`, "run.services.getIamPolicy"],
  ["POST", `${LOCATION}/services/hello:setIamPolicy`, "run.services.setIamPolicy"],
  ["GET", REVISIONS, "run.revisions.list"],
  ["GET", `${REVISIONS}/hello-1`, "run.revisions.get"],
  ["DELETE", `${REVISIONS}/hello-1`, "run.revisions.delete"],
  ["GET", `${LOCATION}/configurations`, "run.configurations.list"],
  ["GET", `${LOCATION}/routes/hello`, "run.routes.get"],
  ["GET", `/v1/projects/${PROJECT}/locations`, "run.locations.list"],
])("%s %s needs %s", async ([method, path, permission]) => {
  const { state, send } = await openRun();
  signIn(state, "nobody@demo-project.iam.gserviceaccount.com", "nobody");
  const { status, json } = await send(method, path, method === "POST" || method === "PUT" ? service() : undefined, { token: "nobody" });
  expect(status).toBe(403);
  expect(json["error"].message).toContain(permission);
});

test("a role on one service applies to that service only", async () => {
  const { state, send, deploy } = await openRun();
  addImage(state, IMAGE);
  const revision = (await deploy()).status.latestReadyRevisionName;
  signIn(state, "viewer@demo-project.iam.gserviceaccount.com", "viewer");
  const bindings = [{ role: "roles/run.viewer", members: ["serviceAccount:viewer@demo-project.iam.gserviceaccount.com"] }];
  expect((await send("POST", `${LOCATION}/services/hello:setIamPolicy`, { policy: { bindings } })).json["bindings"]).toEqual(bindings);
  expect((await send("GET", `${SERVICES}/hello`, undefined, { token: "viewer" })).status).toBe(200);
  expect((await send("GET", `${REVISIONS}/${revision}`, undefined, { token: "viewer" })).status).toBe(200);
  expect((await send("GET", `${SERVICES}/other`, undefined, { token: "viewer" })).status).toBe(403);
  const asked = { permissions: ["run.services.get", "run.services.delete"] };
  expect((await send("POST", `${LOCATION}/services/hello:testIamPermissions`, asked, { token: "viewer" })).json).toEqual({
    permissions: ["run.services.get"],
  });
});

test("lists are by region, by label and in pages; location - and the global host show all regions", async () => {
  const { state, server, send, deploy } = await openRun();
  addImage(state, IMAGE);
  await deploy();
  await deploy({ name: "alpha" });
  await server.request("POST", "europe-west1-run.googleapis.com", SERVICES, { body: service({ name: "remote" }) });
  const names = async (host: string, path: string) => {
    const { json } = await server.request("GET", host, path);
    return (json["items"] as KnativeService[]).map(({ metadata }) => metadata.name);
  };
  expect(await names(HOST, SERVICES)).toEqual(["alpha", "hello"]);
  expect(await names(GLOBAL, SERVICES)).toEqual(["remote", "alpha", "hello"]);
  expect(await names(GLOBAL, `/v1/projects/${PROJECT_NUMBER}/locations/-/services`)).toEqual(["remote", "alpha", "hello"]);
  expect(await names(GLOBAL, `/v1/projects/${PROJECT}/locations/europe-west1/services`)).toEqual(["remote"]);
  const select = (selector: string) =>
    names(HOST, `${REVISIONS}?labelSelector=${encodeURIComponent(selector)}`).then((found) => found.map((name) => name.split("-")[0]));
  expect(await select("client.knative.dev/nonce = first")).toEqual(["alpha", "hello"]);
  expect(await select("client.knative.dev/nonce=first,serving.knative.dev/service = hello")).toEqual(["hello"]);
  expect(await select("serving.knative.dev/service!=hello")).toEqual(["alpha"]);
  expect(await select("serving.knative.dev/service in (hello, none), !absent")).toEqual(["hello"]);
  expect(await select("absent")).toEqual([]);
  expect((await send("GET", `${REVISIONS}?labelSelector=a~b`)).status).toBe(400);

  const page = (await send("GET", `${SERVICES}?limit=1`)).json;
  expect(page).toMatchObject({ kind: "ServiceList", items: [{ metadata: { name: "alpha" } }], metadata: { continue: expect.any(String) } });
  const next = (await send("GET", `${SERVICES}?limit=1&continue=${page["metadata"].continue}`)).json;
  expect(next).toMatchObject({ items: [{ metadata: { name: "hello" } }], metadata: {} });
  expect(next["metadata"].continue).toBeUndefined();
});

test("configurations and routes are views of services", async () => {
  const { state, send, deploy } = await openRun();
  addImage(state, IMAGE);
  const { status, spec } = await deploy();
  const base = `/apis/serving.knative.dev/v1/namespaces/${PROJECT}`;
  expect((await send("GET", `${base}/configurations/hello`)).json).toMatchObject({
    kind: "Configuration",
    spec: { template: spec.template },
    status: { latestReadyRevisionName: status.latestReadyRevisionName, conditions: [{ type: "Ready", status: "True" }] },
  });
  expect((await send("GET", `${base}/routes/hello`)).json).toMatchObject({
    kind: "Route",
    status: { url: status.url, traffic: status.traffic },
  });
  expect((await send("GET", `${base}/routes`)).json).toMatchObject({ kind: "RouteList", items: [{ kind: "Route" }] });
});

test("a revision can be deleted once it isn't the latest and receives no traffic", async () => {
  const { state, send, deploy } = await openRun();
  addImage(state, IMAGE);
  await deploy({ revision: "hello-a" });
  await deploy({ revision: "hello-b", traffic: [{ revisionName: "hello-a", percent: 100 }] });
  expect((await send("DELETE", `${REVISIONS}/hello-a`)).json["error"]).toMatchObject({ status: "FAILED_PRECONDITION" });
  expect((await send("DELETE", `${REVISIONS}/hello-b`)).json["error"]).toMatchObject({ status: "FAILED_PRECONDITION" });
  await deploy({ revision: "hello-b" });
  expect((await send("DELETE", `${REVISIONS}/hello-a`)).status).toBe(200);
  expect((await send("GET", `${REVISIONS}/hello-a`)).status).toBe(404);
});

test("regions are those of Cloud Run", async () => {
  const { server } = await openRun();
  const { json } = await server.request("GET", GLOBAL, `/v1/projects/${PROJECT}/locations?pageSize=100`);
  expect(json["locations"]).toContainEqual({
    name: `projects/${PROJECT}/locations/us-central1`,
    locationId: "us-central1",
    displayName: "Iowa",
    labels: { "cloud.googleapis.com/region": "us-central1" },
  });
  expect((await server.request("GET", "mars-north1-run.googleapis.com", `${SERVICES}/hello`)).json["error"]).toMatchObject({ code: 404 });
  expect((await server.request("GET", GLOBAL, `${SERVICES}/hello`)).json["error"]).toMatchObject({ code: 400 });
  expect((await server.request("GET", HOST, "/apis/serving.knative.dev/v1/namespaces/other/services")).status).toBe(403);
});
