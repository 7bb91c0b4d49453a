import { expect, test } from "vitest";
import { PROJECT, PROJECT_NUMBER, signIn, type Json } from "../../helpers/api-server.ts";
import { addImage } from "../../helpers/node-engine.ts";
import { IMAGE, openRun, SERVICES } from "../../helpers/run-server.ts";

const LOCATION = `/v2/projects/${PROJECT}/locations/us-central1`;
const NAME = `projects/${PROJECT}/locations/us-central1/services/hello`;
const TYPE = "type.googleapis.com/google.cloud.run.v2.Service";
const BODY = { template: { containers: [{ image: IMAGE }] } };

type Run = Awaited<ReturnType<typeof openRun>>;

/** Creates the service through v2, and waits as Google's clients do. */
async function create({ state, send }: Run, service: object = {}): Promise<Json> {
  addImage(state, IMAGE);
  const { status, json } = await send("POST", `${LOCATION}/services?serviceId=hello`, { ...BODY, ...service });
  expect(json).toMatchObject({ metadata: { "@type": TYPE, name: NAME } });
  expect(status).toBe(200);
  return wait({ send }, json);
}

async function wait({ send }: Pick<Run, "send">, operation: Json): Promise<Json> {
  const { json } = await send("POST", `/v2/${operation["name"]}:wait`, { timeout: "20s" });
  expect(json["done"]).toBe(true);
  return json;
}

async function patch({ send }: Run, query: string, service: object): Promise<Json> {
  return (await send("PATCH", `${LOCATION}/services/hello?${query}`, service)).json;
}

test("a service created through v2 is the one that v1 returns", async () => {
  const run = await openRun();
  const done = await create(run, {
    description: "greets",
    labels: { team: "blue" },
    customAudiences: ["https://hello.example"],
    template: {
      maxInstanceRequestConcurrency: 10,
      timeout: "60s",
      sessionAffinity: true,
      scaling: { minInstanceCount: 0, maxInstanceCount: 3 },
      containers: [
        {
          image: IMAGE,
          env: [{ name: "GREETING", value: "hi" }],
          ports: [{ containerPort: 9000 }],
          resources: { limits: { memory: "1Gi" }, cpuIdle: true, startupCpuBoost: true },
        },
      ],
    },
  });
  expect(done["response"]).toMatchObject({
    "@type": TYPE,
    name: NAME,
    generation: "1",
    observedGeneration: "1",
    description: "greets",
    labels: { team: "blue" },
    ingress: "INGRESS_TRAFFIC_ALL",
    launchStage: "GA",
    customAudiences: ["https://hello.example"],
    creator: `owner@${PROJECT}.iam.gserviceaccount.com`,
    template: {
      maxInstanceRequestConcurrency: 10,
      timeout: "60s",
      sessionAffinity: true,
      scaling: { maxInstanceCount: 3 },
      serviceAccount: `${PROJECT_NUMBER}-compute@developer.gserviceaccount.com`,
      containers: [{ resources: { limits: { cpu: "1000m", memory: "1Gi" }, cpuIdle: true, startupCpuBoost: true } }],
    },
    traffic: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 100 }],
    terminalCondition: { type: "Ready", state: "CONDITION_SUCCEEDED" },
    conditions: [
      { type: "ConfigurationsReady", state: "CONDITION_SUCCEEDED" },
      { type: "RoutesReady", state: "CONDITION_SUCCEEDED" },
    ],
    latestReadyRevision: expect.stringMatching(new RegExp(`^${NAME}/revisions/hello-00001-[a-z0-9]{3}$`)),
    trafficStatuses: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 100, revision: expect.stringMatching(/^hello-00001-/) }],
    urls: [`https://hello-${PROJECT_NUMBER}.us-central1.run.app`, done["response"].uri],
  });
  expect(done["response"]).not.toHaveProperty("reconciling");

  const { json: v1 } = await run.send("GET", `${SERVICES}/hello`);
  expect(v1).toMatchObject({
    metadata: { labels: { team: "blue" }, annotations: { "run.googleapis.com/description": "greets" } },
    spec: {
      template: {
        metadata: {
          annotations: {
            "autoscaling.knative.dev/maxScale": "3",
            "run.googleapis.com/sessionAffinity": "true",
            "run.googleapis.com/startup-cpu-boost": "true",
          },
        },
        spec: { containerConcurrency: 10, timeoutSeconds: 60, containers: [{ env: [{ name: "GREETING", value: "hi" }] }] },
      },
    },
  });
  const { json: listed } = await run.send("GET", `${LOCATION}/services`);
  const { "@type": _, ...service } = done["response"];
  expect(listed["services"]).toEqual([service]);
});

test("sending v2's view of a v1 service back creates no revision and loses nothing", async () => {
  const run = await openRun();
  addImage(run.state, IMAGE);
  const before = await run.deploy({
    annotations: { "run.googleapis.com/operation-id": "kept", "example.com/note": "mine" },
    container: {
      env: [{ name: "A", value: "1" }],
      volumeMounts: [{ name: "scratch", mountPath: "/scratch" }],
      startupProbe: { periodSeconds: 5, httpGet: { path: "/" } },
    },
    spec: { volumes: [{ name: "scratch", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }] },
    traffic: [{ latestRevision: true, percent: 100, tag: "blue" }],
  });
  const { json: shown } = await run.send("GET", `${LOCATION}/services/hello`);
  expect(shown["template"]).toMatchObject({
    volumes: [{ name: "scratch", emptyDir: { medium: "MEMORY", sizeLimit: "1Mi" } }],
  });
  await wait(run, await patch(run, "", shown));
  const after = await run.settled();
  expect(after.spec).toEqual(before.spec);
  expect(after.status.latestCreatedRevisionName).toBe(before.status.latestCreatedRevisionName);
  expect(after.metadata.annotations).toEqual(before.metadata.annotations);
});

test("a client library's update with explicit defaults and numeric enums creates no revision", async () => {
  const run = await openRun();
  const { response } = await create(run);
  const { json: shown } = await run.send("GET", `${LOCATION}/services/hello`);
  const [container] = shown["template"].containers;
  const sent = {
    ...shown,
    ingress: 1,
    launchStage: 4,
    description: "",
    iapEnabled: false,
    multiRegionSettings: null,
    template: {
      ...shown["template"],
      revision: "",
      annotations: {},
      scaling: { minInstanceCount: 0, maxInstanceCount: 100 },
      executionEnvironment: 0,
      encryptionKey: "",
      encryptionKeyRevocationAction: 0,
      nodeSelector: null,
      sessionAffinity: false,
      containers: [{ ...container, name: "", workingDir: "", env: [], command: [], baseImageUri: "", sandboxLauncher: false }],
    },
    traffic: [{ type: 1, revision: "", percent: 100, tag: "" }],
  };
  const after = await wait(run, await patch(run, "$alt=json%3Benum-encoding%3Dint", sent));
  expect(after["response"]).toMatchObject({ generation: "2", latestCreatedRevision: response.latestCreatedRevision });
  expect(after["response"].template).toEqual(response.template);
});

test("an update changes the fields in its mask, and clears those that the message lacks", async () => {
  const run = await openRun();
  await create(run, { description: "greets", labels: { team: "blue" } });
  const patched = await wait(run, await patch(run, "updateMask=description,traffic", { labels: { team: "red" } }));
  expect(patched["response"]).toMatchObject({ generation: "2", labels: { team: "blue" } });
  expect(patched["response"]).not.toHaveProperty("description");
  const scaled = await wait(
    run,
    await patch(run, "updateMask=template.scaling.max_instance_count", { template: { scaling: { max_instance_count: 5 } } }),
  );
  expect(scaled["response"].template).toMatchObject({ scaling: { maxInstanceCount: 5 }, containers: [{ image: IMAGE }] });
  expect(scaled["response"].latestCreatedRevision).toMatch(/hello-00003-/);

  const forced = await wait(run, await patch(run, "updateMask=labels&forceNewRevision=true", {}));
  expect(forced["response"].latestCreatedRevision).toMatch(/hello-00004-/);
  expect(forced["response"]).not.toHaveProperty("labels");
});

test("a stale etag is refused in updates and deletions", async () => {
  const run = await openRun();
  await create(run);
  const { json: first } = await run.send("GET", `${LOCATION}/services/hello`);
  const { response: second } = await wait(run, await patch(run, "updateMask=description", { description: "two", etag: first["etag"] }));
  expect(second.etag).not.toBe(first["etag"]);
  const message = `Conflict for resource 'hello': etag '${first["etag"]}' was specified but current etag is '${second.etag}'.`;
  expect((await patch(run, "", first))["error"]).toEqual({ code: 409, status: "ABORTED", message });
  const path = `${LOCATION}/services/hello?etag=`;
  expect((await run.send("DELETE", path + encodeURIComponent(first["etag"]))).json["error"]).toMatchObject({ status: "ABORTED" });
  expect((await run.send("DELETE", path + encodeURIComponent(second.etag))).json).toMatchObject({
    done: true,
    response: { "@type": TYPE, name: NAME, deleteTime: expect.any(String) },
  });
  expect((await run.send("GET", `${LOCATION}/services/hello`)).status).toBe(404);
});

test("validateOnly validates and responds, and changes nothing", async () => {
  const run = await openRun();
  addImage(run.state, IMAGE);
  const created = await run.send("POST", `${LOCATION}/services?serviceId=hello&validateOnly=true`, BODY);
  expect(created.json).toMatchObject({ done: true, response: { generation: "1", template: { timeout: "300s" } } });
  expect(run.state.services.list()).toEqual([]);
  expect(run.state.operations.list()).toEqual([]);

  const { response } = await create(run);
  expect(await patch(run, "validateOnly=true&updateMask=description", { description: "new" })).toMatchObject({
    done: true,
    response: { description: "new", generation: "2" },
  });
  expect((await run.send("DELETE", `${LOCATION}/services/hello?validateOnly=true`)).json).toMatchObject({ done: true });
  expect((await run.send("GET", `${LOCATION}/services/hello`)).json).toMatchObject({ etag: response.etag });
});

test("allowMissing creates a missing service, if the caller can create services", async () => {
  const run = await openRun();
  addImage(run.state, IMAGE);
  expect((await patch(run, "", BODY))["error"]).toMatchObject({ code: 404 });
  const made = await patch(run, "allowMissing=true", BODY);
  expect((await wait(run, made))["response"]).toMatchObject({ name: NAME, generation: "1" });
});

test("a failed deployment ends its operation with an error, and the revision has the reason", async () => {
  const run = await openRun();
  addImage(run.state, IMAGE, "process.exit(3)");
  const { json } = await run.send("POST", `${LOCATION}/services?serviceId=hello`, BODY);
  const failed = await wait(run, json);
  const name = (failed["metadata"].latestCreatedRevision as string).split("/").at(-1);
  expect(failed["error"]).toEqual({
    code: 9,
    message: expect.stringContaining(
      `Revision '${name}' is not ready and cannot serve traffic. The user-provided container failed to start`,
    ),
  });
  expect(failed["metadata"].terminalCondition).toMatchObject({ state: "CONDITION_FAILED", revisionReason: "HEALTH_CHECK_CONTAINER_ERROR" });
  const { json: revision } = await run.send("GET", `${LOCATION}/services/hello/revisions/${name}`);
  expect(revision["conditions"]).toContainEqual(expect.objectContaining({ type: "Ready", state: "CONDITION_FAILED" }));
});

test("revisions are listed newest first, and only unused ones can be deleted", async () => {
  const run = await openRun();
  const { response: first } = await create(run);
  const { response: second } = await wait(run, await patch(run, "updateMask=template.timeout", { template: { timeout: "30s" } }));
  const { json } = await run.send("GET", `${LOCATION}/services/hello/revisions`);
  expect(json["revisions"].map(({ name }: Json) => name)).toEqual([second.latestReadyRevision, first.latestReadyRevision]);
  expect(json["revisions"][0]).toMatchObject({
    service: "hello",
    timeout: "30s",
    containers: [{ image: expect.stringContaining("@sha256:") }],
  });
  expect((await run.send("DELETE", `/v2/${second.latestReadyRevision}`)).json["error"]).toMatchObject({ status: "FAILED_PRECONDITION" });
  expect((await run.send("DELETE", `/v2/${first.latestReadyRevision}?validateOnly=true`)).status).toBe(200);
  expect((await run.send("DELETE", `/v2/${first.latestReadyRevision}`)).json).toMatchObject({
    done: true,
    response: { "@type": "type.googleapis.com/google.cloud.run.v2.Revision", name: first.latestReadyRevision },
  });
  expect((await run.send("GET", `/v2/${first.latestReadyRevision}`)).status).toBe(404);
});

test("operations can be filtered by done, and deleted", async () => {
  const run = await openRun();
  const created = await create(run);
  const { json: listed } = await run.send("GET", `${LOCATION}/operations?filter=done:true`);
  expect(listed["operations"]).toEqual([created]);
  expect((await run.send("GET", `${LOCATION}/operations?filter=done:false`)).json["operations"]).toEqual([]);
  expect((await run.send("DELETE", `/v2/${created["name"]}`)).json).toEqual({});
  expect((await run.send("GET", `/v2/${created["name"]}`)).json["error"]).toMatchObject({ code: 404 });
});

test.for<[string, string, string]>([
  ["GET", "services", "run.services.list"],
  ["POST", "services?serviceId=hello", "run.services.create"],
  ["GET", "services/hello", "run.services.get"],
  ["PATCH", "services/hello", "run.services.update"],
  ["DELETE", "services/hello", "run.services.delete"],
  ["GET", "services/hello:getIamPolicy", "run.services.getIamPolicy"],
  ["POST", "services/hello:setIamPolicy", "run.services.setIamPolicy"],
  ["GET", "services/hello/revisions", "run.revisions.list"],
  ["GET", "services/hello/revisions/hello-1", "run.revisions.get"],
  ["DELETE", "services/hello/revisions/hello-1", "run.revisions.delete"],
  ["GET", "operations", "run.operations.list"],
  ["GET", "operations/1", "run.operations.get"],
  ["DELETE", "operations/1", "run.operations.delete"],
])("%s %s needs %s", async ([method, path, permission]) => {
  const { state, send } = await openRun();
  signIn(state, "nobody@demo-project.iam.gserviceaccount.com", "nobody");
  const { status, json } = await send(method, `${LOCATION}/${path}`, method === "POST" || method === "PATCH" ? {} : undefined, {
    token: "nobody",
  });
  expect(status).toBe(403);
  expect(json["error"].message).toContain(permission);
});
