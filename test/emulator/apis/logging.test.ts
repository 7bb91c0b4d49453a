import { expect, onTestFinished, test } from "vitest";
import { join } from "node:path";
import { createLoggingApi } from "../../../src/emulator/apis/logging.ts";
import { openLogStore } from "../../../src/emulator/logging/log-store.ts";
import { openTestState, PROJECT, PROJECT_NUMBER, serveApis, signIn, type Json } from "../../helpers/api-server.ts";

const HOST = "logging.googleapis.com";
const LOG = `projects/${PROJECT}/logs/app`;
const NOW = Date.parse("2026-11-23T12:00:00.250Z");

async function serveLogging() {
  const state = openTestState();
  signIn(state, `writer@${PROJECT}.iam.gserviceaccount.com`, "ya29.writer", "roles/logging.logWriter");
  signIn(state, `reader@${PROJECT}.iam.gserviceaccount.com`, "ya29.reader", "roles/logging.viewer");
  const logs = openLogStore(join(state.directory, "logs"), { now: () => NOW, log: (line) => expect.fail(line) });
  onTestFinished(() => logs.close());
  const server = await serveApis([createLoggingApi({ state, logs })], state);
  const post = async (method: "list" | "write", body: object, token = "ya29.owner") => {
    const { status, json } = await server.request("POST", HOST, `/v2/entries:${method}`, { body, token });
    return { status, ...json } as Json;
  };
  return { post, server };
}

test("written entries are listed with the fields that Cloud Logging adds", async () => {
  const { post } = await serveLogging();
  const written = {
    logName: LOG,
    resource: { type: "cloud_run_revision", labels: { service_name: "hello" } },
    labels: { tier: "gold" },
    entries: [
      { textPayload: "one", severity: 400, insertId: "i1", timestamp: "2026-11-23T13:00:00.1+01:00", labels: { tier: "iron", own: "yes" } },
      {
        jsonPayload: { message: "two" },
        logName: `projects/${PROJECT_NUMBER}/logs/run.googleapis.com%2Fstdout`,
        resource: { type: "global" },
      },
    ],
  };
  expect(await post("write", written, "ya29.writer")).toEqual({ status: 200 });
  const receiveTimestamp = "2026-11-23T12:00:00.250Z";
  expect(await post("list", { resourceNames: [`projects/${PROJECT_NUMBER}`] }, "ya29.reader")).toEqual({
    status: 200,
    entries: [
      {
        logName: LOG,
        resource: { type: "cloud_run_revision", labels: { project_id: PROJECT, service_name: "hello" } },
        insertId: "i1",
        timestamp: "2026-11-23T12:00:00.100Z",
        receiveTimestamp,
        severity: "WARNING",
        textPayload: "one",
        labels: { tier: "iron", own: "yes" },
      },
      {
        logName: `projects/${PROJECT}/logs/run.googleapis.com%2Fstdout`,
        resource: { type: "global", labels: { project_id: PROJECT } },
        insertId: expect.stringMatching(/^[0-9a-f]{24}$/),
        timestamp: receiveTimestamp,
        receiveTimestamp,
        jsonPayload: { message: "two" },
        labels: { tier: "gold" },
      },
    ],
  });
});

test("a list is filtered, ordered and paged", async () => {
  const { post, server } = await serveLogging();
  const resource = { type: "global" };
  const entries = ["a1", "b", "a2", "a3"].map((textPayload, index) => ({ textPayload, timestamp: `2026-11-23T12:00:0${index}Z` }));
  await post("write", { logName: LOG, resource, entries });
  const list = {
    resourceNames: [`projects/${PROJECT}/locations/global/buckets/_Default/views/_AllLogs`],
    filter: "textPayload:a",
    orderBy: "timestamp desc",
    pageSize: 2,
  };
  const first = await post("list", list);
  const second = await post("list", { ...list, pageToken: first["nextPageToken"] });
  expect([first, second].map((page) => page["entries"].map((entry: { textPayload: string }) => entry.textPayload))).toEqual([
    ["a3", "a2"],
    ["a1"],
  ]);
  expect(second["nextPageToken"]).toBeUndefined();
  expect((await server.request("GET", HOST, `/v2/projects/${PROJECT}/logs`)).json).toEqual({ logNames: [LOG] });
});

test("a dry run writes nothing", async () => {
  const { post } = await serveLogging();
  const entries = [{ textPayload: "x" }];
  expect(await post("write", { logName: LOG, resource: { type: "global" }, dryRun: true, entries })).toEqual({ status: 200 });
  expect(await post("list", { projectIds: [PROJECT] })).toEqual({ status: 200, entries: [] });
});

test("a caller who can't read or write is refused with the missing permission", async () => {
  const { post } = await serveLogging();
  const write = { logName: LOG, resource: { type: "global" }, entries: [{ textPayload: "x" }] };
  expect(await post("write", write, "ya29.reader")).toMatchObject({
    status: 403,
    error: { message: expect.stringContaining("logging.logEntries.create") },
  });
  expect(await post("list", { resourceNames: [`projects/${PROJECT}`] }, "ya29.writer")).toMatchObject({
    status: 403,
    error: { message: expect.stringContaining("logging.logEntries.list") },
  });
});

test.for([
  ["list", { resourceNames: [] }, "resource_names"],
  ["list", { resourceNames: ["folders/1"] }, "folders/1"],
  ["list", { filter: "a=" }, "Unparseable filter"],
  ["list", { orderBy: "severity" }, "order_by"],
  ["list", { pageSize: -1 }, "page size"],
  ["list", { pageToken: "x" }, "page_token"],
  ["write", { entries: [] }, "No entries"],
  ["write", { entries: [{ textPayload: "x" }], logName: "nonsense" }, "log_name"],
  ["write", { entries: [{ textPayload: "x" }], resource: undefined }, "resource"],
  ["write", { entries: [{ textPayload: "x", jsonPayload: {} }] }, "payload"],
  ["write", { entries: [{ textPayload: "x", severity: "loud" }] }, "severity"],
  ["write", { entries: [{ textPayload: "x", timestamp: "now" }] }, "timestamp"],
  ["write", { entries: [{ textPayload: "x".repeat(300_000) }] }, "exceeds maximum size"],
] as const)("%s with %j is refused", async ([method, body, message]) => {
  const { post } = await serveLogging();
  const good = method === "list" ? { resourceNames: [`projects/${PROJECT}`] } : { logName: LOG, resource: { type: "global" } };
  expect(await post(method, { ...good, ...body })).toMatchObject({
    status: 400,
    error: { status: "INVALID_ARGUMENT", message: expect.stringContaining(message) },
  });
});
