import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { InstanceError, StartupError } from "../../../../src/emulator/run/instances/instance-error.ts";
import { ask, failure, KEY, NEVER, openInstances } from "../../../helpers/instances.ts";
import { SERVER } from "../../../helpers/node-engine.ts";

test("the first request starts an instance, with the environment of the container contract and nothing of the emulator's", async () => {
  const { instances, lines } = openInstances({
    container: {
      env: [
        { name: "GREETING", value: "no" },
        { name: "GREETING", value: "hi" },
        { name: "PORT", value: "1" },
      ],
    },
  });
  const lease = await instances.acquire(KEY, NEVER);
  expect(await ask(lease.port)).toEqual({
    pid: expect.any(Number),
    PORT: String(lease.port),
    K_SERVICE: "hello",
    K_REVISION: "hello-00001-abc",
    K_CONFIGURATION: "hello",
    GREETING: "hi",
    CLOUD_RUN_TIMEOUT_SECONDS: "300",
  });
  expect(lines).toEqual([`${KEY} stdout listening`]);
});

test("requests that arrive while an instance starts share it, and those beyond its concurrency get a second one", async () => {
  const { instances, engine } = openInstances({ concurrency: 2 });
  const leases = await Promise.all([1, 2, 3].map(() => instances.acquire(KEY, NEVER)));
  expect(new Set(leases.map(({ port }) => port)).size).toBe(2);
  for (const lease of leases) lease.release();
  await instances.acquire(KEY, NEVER);
  expect(engine.started).toBe(2);
});

test("a lease that is released twice counts once", async () => {
  const { instances, engine } = openInstances({ concurrency: 1 });
  const first = await instances.acquire(KEY, NEVER);
  first.release();
  first.release();
  await Promise.all([instances.acquire(KEY, NEVER), instances.acquire(KEY, NEVER)]);
  expect(engine.started).toBe(2);
});

test("a request waits if no instance can be added, and fails with 429 if none becomes free", async () => {
  const { instances } = openInstances({ concurrency: 1, maxScale: "1", queueTimeoutMs: 200 });
  const first = await instances.acquire(KEY, NEVER);
  const waiting = instances.acquire(KEY, NEVER);
  first.release();
  expect((await waiting).port).toBe(first.port);
  const error = await failure(instances);
  expect(error).toBeInstanceOf(InstanceError);
  expect(error).toMatchObject({ status: 429, message: "The request was aborted because there was no available instance." });
});

test("an aborted request leaves the queue", async () => {
  const { instances } = openInstances({ concurrency: 1, maxScale: "1" });
  const first = await instances.acquire(KEY, NEVER);
  expect(await failure(instances, AbortSignal.timeout(20))).toMatchObject({ name: "TimeoutError" });
  first.release();
  expect((await instances.acquire(KEY, NEVER)).port).toBe(first.port);
});

test("an instance without requests is stopped after the idle timeout", async () => {
  const { instances, engine } = openInstances({ idleTimeoutMs: 50 });
  const lease = await instances.acquire(KEY, NEVER);
  await sleep(150);
  expect(engine.alive).toBe(1);
  lease.release();
  await vi.waitFor(() => expect(engine.alive).toBe(0));
  (await instances.acquire(KEY, NEVER)).release();
  expect(engine.started).toBe(2);
});

test("an instance that died is replaced by the next request", async () => {
  const { instances, engine } = openInstances();
  const lease = await instances.acquire(KEY, NEVER);
  await expect(ask(lease.port, "/exit")).rejects.toThrow("socket hang up");
  lease.release();
  await vi.waitFor(() => expect(engine.alive).toBe(0));
  const next = await instances.acquire(KEY, NEVER);
  expect(await ask(next.port)).toMatchObject({ K_SERVICE: "hello" });
});

test("an instance that exits before it listens immediately fails the waiting requests, with its last log lines", async () => {
  const { instances, engine } = openInstances({
    script: `console.error("no database"); process.exit(3)`,
    concurrency: 5,
    container: { startupProbe: undefined },
  });
  const errors = await Promise.all([failure(instances), failure(instances)]);
  for (const error of errors) {
    expect(error).toBeInstanceOf(StartupError);
    expect(error).toMatchObject({
      status: 500,
      message: "The request failed because the instance could not start successfully.",
      reason: "HealthCheckContainerError",
    });
    expect((error as StartupError).explanation).toMatch(/PORT=8080 environment variable[^]*no database\n {2}Container called exit\(3\)\./);
  }
  expect(engine.started).toBe(1);
});

test("an instance that never listens fails when its startup probe times out, and is stopped", async () => {
  const { instances, engine } = openInstances({ script: "setInterval(() => {}, 1000)" });
  const error = await failure(instances);
  expect((error as StartupError).explanation).toMatch(/^The user-provided container failed the configured startup probe checks\./);
  expect(engine.alive).toBe(0);
});

test("an HTTP startup probe waits for a status code below 400", async () => {
  const script = `const start = Date.now(); require("http").createServer((q, r) => {
    r.statusCode = q.url === "/ready" && q.headers.probe === "yes" && Date.now() - start > 150 ? 200 : 503; r.end(String(Date.now() - start)) }).listen(process.env.PORT)`;
  const startupProbe = {
    periodSeconds: 1,
    failureThreshold: 3,
    httpGet: { path: "/ready", httpHeaders: [{ name: "probe", value: "yes" }] },
  };
  const { instances } = openInstances({ script, container: { startupProbe } });
  const lease = await instances.acquire(KEY, NEVER);
  expect(Number(await ask(lease.port))).toBeGreaterThan(150);
});

test("the revision's command and args replace the image's", async () => {
  const { instances } = openInstances({ script: "process.exit(1)", container: { command: ["-e"], args: [SERVER] } });
  const lease = await instances.acquire(KEY, NEVER);
  expect(await ask(lease.port)).toMatchObject({ K_SERVICE: "hello" });
});

test("an image that another engine built is rejected", async () => {
  const { instances, state } = openInstances();
  for (const image of state.images.list()) state.images.set(image.digest, { ...image, engine: "container" });
  expect(((await failure(instances)) as StartupError).explanation).toContain("was built by the container engine");
});

test("a stopped revision finishes its requests before it ends", async () => {
  const { instances, engine } = openInstances();
  const lease = await instances.acquire(KEY, NEVER);
  const stopped = instances.stopRevision(KEY);
  expect(await ask(lease.port)).toMatchObject({ K_SERVICE: "hello" });
  lease.release();
  await stopped;
  expect(engine.alive).toBe(0);
});

test("closing stops instances that are busy, starting or waited for", async () => {
  const { instances, engine } = openInstances({
    concurrency: 1,
    maxScale: "2",
    script: `${SERVER}; process.on("SIGTERM", () => process.exit(0))`,
  });
  await instances.acquire(KEY, NEVER);
  const waiting = [failure(instances), failure(instances)];
  await instances.close();
  for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(InstanceError);
  expect(engine.alive).toBe(0);
});

test("an instance whose liveness probe fails too often in a row is shut down, and the next request starts another", async () => {
  const script = `let ok = true; require("http").createServer((q, r) => {
    if (q.url === "/break") ok = false;
    r.statusCode = q.url === "/live" && !ok ? 500 : 200; r.end(JSON.stringify({ pid: process.pid })) }).listen(process.env.PORT)`;
  const livenessProbe = { periodSeconds: 1, failureThreshold: 2, httpGet: { path: "/live" } };
  const { instances, engine } = openInstances({ script, container: { livenessProbe } });
  const lease = await instances.acquire(KEY, NEVER);
  await sleep(1200);
  expect(engine.alive).toBe(1);
  await ask(lease.port, "/break");
  lease.release();
  await vi.waitFor(() => expect(engine.alive).toBe(0), { timeout: 5000 });
  expect(await ask((await instances.acquire(KEY, NEVER)).port)).toMatchObject({ pid: expect.any(Number) });
  expect(engine.started).toBe(2);
});

test("a revision's minimum instances run without requests, and stay", async () => {
  const annotations = { "autoscaling.knative.dev/minScale": "2" };
  const { instances, engine, route } = openInstances({ annotations, idleTimeoutMs: 20, concurrency: 1 });
  instances.startMinInstances(KEY);
  await sleep(50);
  expect(engine.started).toBe(0);

  route([{ revisionName: "hello-00001-abc", percent: 100 }]);
  instances.startMinInstances(KEY);
  instances.startMinInstances(KEY);
  await vi.waitFor(() => expect(engine.alive).toBe(2));
  const leases = await Promise.all([1, 2, 3].map(() => instances.acquire(KEY, NEVER)));
  expect(engine.alive).toBe(3);
  for (const lease of leases) lease.release();
  await vi.waitFor(() => expect(engine.alive).toBe(2));
  await sleep(100);
  expect(engine.alive).toBe(2);
});

test("a minimum instance that exits is replaced a second later", async () => {
  const annotations = { "autoscaling.knative.dev/minScale": "1" };
  const { instances, engine, route } = openInstances({ annotations });
  route([{ revisionName: "hello-00001-abc", percent: 100 }]);
  const lease = await instances.acquire(KEY, NEVER);
  await expect(ask(lease.port, "/exit")).rejects.toThrow("socket hang up");
  lease.release();
  await vi.waitFor(() => expect(engine.alive).toBe(0));
  await vi.waitFor(() => expect(engine.alive).toBe(1), { timeout: 5000 });
  expect(engine.started).toBe(2);
});
