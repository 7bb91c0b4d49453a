import { expect, test, vi } from "vitest";
import { PROJECT_NUMBER, temporaryDirectory } from "../../helpers/api-server.ts";
import { addImage, SERVER } from "../../helpers/node-engine.ts";
import { conditionsOf, IMAGE, openRun, REVISIONS, service, SERVICES } from "../../helpers/run-server.ts";

test("a new service isn't ready at first, and then becomes ready with all traffic on its first revision", async () => {
  const { state, send, settled } = await openRun();
  const digest = addImage(state, IMAGE);
  const { json: created } = await send("POST", SERVICES, service());
  expect(created).toMatchObject({
    metadata: { name: "hello", namespace: PROJECT_NUMBER, generation: 1, labels: { "cloud.googleapis.com/location": "us-central1" } },
    spec: {
      template: {
        spec: {
          containerConcurrency: 80,
          timeoutSeconds: 300,
          serviceAccountName: `${PROJECT_NUMBER}-compute@developer.gserviceaccount.com`,
          containers: [
            { image: IMAGE, ports: [{ name: "http1", containerPort: 8080 }], resources: { limits: { cpu: "1000m", memory: "512Mi" } } },
          ],
        },
      },
      traffic: [{ percent: 100, latestRevision: true }],
    },
    status: { observedGeneration: 0, conditions: [{ type: "Ready", status: "Unknown" }, {}, {}] },
  });

  const ready = await settled();
  const revision = ready.status.latestReadyRevisionName as string;
  expect(revision).toMatch(/^hello-00001-[a-z0-9]{3}$/);
  expect(conditionsOf(ready)).toEqual({ Ready: "True", ConfigurationsReady: "True", RoutesReady: "True" });
  expect(ready.status).toMatchObject({
    latestCreatedRevisionName: revision,
    traffic: [{ percent: 100, latestRevision: true, revisionName: revision }],
  });
  expect(ready.status.url).toMatch(/^https:\/\/hello-[a-z2-7]{10}-uc\.a\.run\.app$/);
  expect(JSON.parse(ready.metadata.annotations["run.googleapis.com/urls"] ?? "")).toEqual([
    `https://hello-${PROJECT_NUMBER}.us-central1.run.app`,
    ready.status.url,
  ]);
  const shown = (await send("GET", `${REVISIONS}/${revision}`)).json;
  expect(shown["status"]).toMatchObject({ imageDigest: `${IMAGE}@${digest}` });
  expect(shown["status"].conditions.map(({ type, status }: { type: string; status: string }) => `${type} ${status}`)).toEqual([
    "Ready True",
    "Active True",
    "ContainerHealthy True",
    "ContainerReady True",
    "ResourcesAvailable True",
  ]);
});

test("a changed template creates a revision, which takes over; the previous one stops", async () => {
  const { state, engine, send, deploy } = await openRun();
  addImage(state, IMAGE);
  const first = (await deploy()).status.latestReadyRevisionName;
  const second = await deploy({ nonce: "second" });
  expect(second.metadata.generation).toBe(2);
  expect(second.status.latestReadyRevisionName).toMatch(/^hello-00002-/);
  expect(second.status.traffic).toEqual([{ percent: 100, latestRevision: true, revisionName: second.status.latestReadyRevisionName }]);
  await vi.waitFor(() => expect(engine.alive).toBe(1));
  const { json } = await send("GET", `${REVISIONS}/${first}`);
  expect(json["status"].conditions).toContainEqual(expect.objectContaining({ type: "Active", status: "False", reason: "Retired" }));
});

test("sending a service back unchanged creates no revision", async () => {
  const { state, engine, send, deploy, settled } = await openRun();
  addImage(state, IMAGE);
  const before = await deploy();
  const { status, json } = await send("PUT", `${SERVICES}/hello`, before);
  expect([status, json["metadata"].generation]).toEqual([200, 2]);
  const after = await settled();
  expect(after.status.latestCreatedRevisionName).toBe(before.status.latestCreatedRevisionName);
  expect(after.spec).toEqual(before.spec);
  expect(engine.started).toBe(1);
});

test("a container that doesn't listen fails the deployment in Cloud Run's words, and traffic stays as it was", async () => {
  const { state, engine, deploy } = await openRun();
  addImage(state, IMAGE);
  addImage(state, "gcr.io/demo-project/broken", `console.log("Error: no database"); process.exit(1)`);
  const good = (await deploy()).status.latestReadyRevisionName;
  const failed = await deploy({ image: "gcr.io/demo-project/broken", nonce: "second", container: { ports: [{ containerPort: 9000 }] } });
  const bad = failed.status.latestCreatedRevisionName;
  expect(conditionsOf(failed)).toEqual({ Ready: "False", ConfigurationsReady: "False", RoutesReady: "True" });
  expect(failed.status.conditions[0]).toMatchObject({
    reason: "HealthCheckContainerError",
    message: expect.stringMatching(
      new RegExp(
        `^Revision '${bad}' is not ready and cannot serve traffic\\. The user-provided container failed to start and listen on the port defined provided by the PORT=9000 environment variable within the allocated timeout\\.[^]*Error: no database`,
      ),
    ),
  });
  expect(failed.status).toMatchObject({ latestReadyRevisionName: good, traffic: [{ revisionName: good, percent: 100 }] });
  expect(engine.alive).toBe(1);
});

test("a first deployment that fails leaves the service without traffic", async () => {
  const { deploy } = await openRun();
  const failed = await deploy();
  const message = `Revision '${failed.status.latestCreatedRevisionName}' is not ready and cannot serve traffic. Image 'gcr.io/demo-project/hello' not found.`;
  expect(failed.status.conditions).toMatchObject([
    { type: "Ready", status: "False", reason: "ContainerMissing", message },
    { type: "ConfigurationsReady", status: "False", message },
    { type: "RoutesReady", status: "False", message },
  ]);
  expect(failed.status.traffic).toEqual([]);
  expect(failed.status.latestReadyRevisionName).toBeUndefined();
});

test("a newer deployment doesn't wait for an older one that hangs", async () => {
  const { state, send, deploy } = await openRun();
  addImage(state, IMAGE);
  addImage(state, "gcr.io/demo-project/hangs", "setInterval(() => {}, 1000)");
  const { status } = await send("POST", SERVICES, service({ image: "gcr.io/demo-project/hangs" }));
  expect(status).toBe(200);
  const ready = await deploy({ nonce: "second" });
  expect(conditionsOf(ready)["Ready"]).toBe("True");
  expect(ready.status.latestReadyRevisionName).toMatch(/^hello-00002-/);
});

test("traffic can be split, tagged and sent back to an older revision", async () => {
  const { state, send, deploy } = await openRun();
  addImage(state, IMAGE);
  await deploy({ revision: "hello-blue" });
  const canary = await deploy({
    revision: "hello-green",
    traffic: [
      { revisionName: "hello-blue", percent: 90 },
      { latestRevision: true, percent: 10, tag: "green" },
    ],
  });
  expect(canary.status.traffic).toEqual([
    { revisionName: "hello-blue", percent: 90 },
    {
      revisionName: "hello-green",
      latestRevision: true,
      percent: 10,
      tag: "green",
      url: canary.status.url.replace("https://", "https://green---"),
    },
  ]);
  const back = await deploy({ revision: "hello-green", traffic: [{ revisionName: "hello-blue", percent: 100 }] });
  expect(conditionsOf(back)["Ready"]).toBe("True");
  expect(back.status.traffic).toEqual([{ revisionName: "hello-blue", percent: 100 }]);

  const lost = await deploy({ revision: "hello-green", traffic: [{ revisionName: "hello-red", percent: 100 }] });
  expect(lost.status.conditions).toMatchObject([
    {
      type: "Ready",
      status: "False",
      reason: "RevisionMissing",
      message: "Revision 'hello-red' does not exist or is deleted. Update all traffic to route to currently available revisions.",
    },
    { type: "ConfigurationsReady", status: "True" },
    { type: "RoutesReady", status: "False" },
  ]);
  expect(lost.status.traffic).toEqual(back.status.traffic);

  const again = await send("PUT", `${SERVICES}/hello`, service({ revision: "hello-blue", nonce: "other", container: { args: ["x"] } }));
  expect(again).toMatchObject({
    status: 409,
    json: { error: { status: "ALREADY_EXISTS", message: "Revision named 'hello-blue' with different configuration already exists." } },
  });
});

test("a service that is deleted during its deployment and immediately created again becomes ready", async () => {
  const { state, engine, send, deploy } = await openRun();
  addImage(state, IMAGE);
  await send("POST", SERVICES, service({ revision: "hello-one" }));
  await send("DELETE", `${SERVICES}/hello`);
  expect(conditionsOf(await deploy({ revision: "hello-one" }))["Ready"]).toBe("True");
  await vi.waitFor(() => expect(engine.alive).toBe(1));
});

test("an emulator that stopped during a deployment finishes it when it starts again", async () => {
  const directory = temporaryDirectory();
  const before = await openRun(directory);
  addImage(before.state, IMAGE, `setTimeout(() => { ${SERVER} }, 200)`);
  await before.send("POST", SERVICES, service());
  await before.close();
  expect(before.engine.alive).toBe(0);

  const after = await openRun(directory);
  expect((await after.send("GET", `${SERVICES}/hello`)).json["status"].observedGeneration).toBe(0);
  after.deployments.resume();
  expect(conditionsOf(await after.settled())["Ready"]).toBe("True");
});
