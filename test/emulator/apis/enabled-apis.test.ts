import { expect, test } from "vitest";
import { openTestState, PROJECT, PROJECT_NUMBER, serveApis } from "../../helpers/api-server.ts";

const HOST = "run.googleapis.com";
const URL = `https://console.developers.google.com/apis/api/${HOST}/overview?project=${PROJECT}`;

test("a disabled API refuses its methods with the URL that enables it, on regional hosts too", async () => {
  const state = openTestState();
  state.apis.delete(`${PROJECT}/${HOST}`);
  const routes = { "GET /v1/projects/{project}/locations": { permission: "run.locations.list", handle: () => ({}) } };
  const { request } = await serveApis([{ hosts: [HOST], routes }], state);
  const path = `/v1/projects/${PROJECT_NUMBER}/locations`;
  const { status, json } = await request("GET", `us-central1-${HOST}`, path);
  expect([status, json["error"].status]).toEqual([403, "PERMISSION_DENIED"]);
  expect(json["error"].message).toContain(`Cloud Run Admin API has not been used in project ${PROJECT} before or it is disabled.`);
  expect(json["error"].details).toMatchObject([
    { reason: "SERVICE_DISABLED", metadata: { service: HOST, consumer: `projects/${PROJECT_NUMBER}`, activationUrl: URL } },
    {},
    { links: [{ url: URL }] },
  ]);
  state.apis.set(`${PROJECT}/${HOST}`, { name: HOST, enabledAt: "2026-01-01T00:00:00Z" });
  expect((await request("GET", HOST, path)).status).toBe(200);
});
