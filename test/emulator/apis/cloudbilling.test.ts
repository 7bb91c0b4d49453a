import { expect, test } from "vitest";
import { createArtifactRegistryApi } from "../../../src/emulator/apis/artifactregistry.ts";
import { createCloudBillingApi } from "../../../src/emulator/apis/cloudbilling.ts";
import { openTestState, PROJECT, serveApis, signIn } from "../../helpers/api-server.ts";

const HOST = "cloudbilling.googleapis.com";
const INFO = `/v1/projects/${PROJECT}/billingInfo`;

async function serve() {
  const state = openTestState();
  return { ...(await serveApis([createCloudBillingApi({ state }), createArtifactRegistryApi({ state, now: Date.now })], state)), state };
}

test("a project has billing until it is unlinked; until it is linked again, billed APIs are refused", async () => {
  const { request } = await serve();
  const { json } = await request("GET", HOST, "/v1/billingAccounts");
  const { name } = json["billingAccounts"][0];
  const linked = { name: `projects/${PROJECT}/billingInfo`, projectId: PROJECT, billingAccountName: name, billingEnabled: true };
  expect((await request("GET", HOST, INFO)).json).toEqual(linked);
  const unlinked = { ...linked, billingAccountName: "", billingEnabled: false };
  expect((await request("PUT", HOST, INFO, { body: { billingAccountName: "" } })).json).toEqual(unlinked);
  expect((await request("GET", HOST, INFO)).json).toEqual(unlinked);
  const use = () => request("GET", "artifactregistry.googleapis.com", `/v1/projects/${PROJECT}/locations/us/repositories`);
  expect((await use()).json["error"]).toMatchObject({
    code: 403,
    message: expect.stringMatching(/^This API method requires billing to be enabled\./),
    details: [{ reason: "BILLING_DISABLED" }],
  });
  expect((await request("PUT", HOST, INFO, { body: { billingAccountName: name } })).json).toEqual(linked);
  expect((await use()).status).toBe(200);
});

test("a billing account that doesn't exist is refused, and so is a caller who can't link one", async () => {
  const { request, state } = await serve();
  expect((await request("PUT", HOST, INFO, { body: { billingAccountName: "billingAccounts/1" } })).status).toBe(400);
  signIn(state, `viewer@${PROJECT}.iam.gserviceaccount.com`, "ya29.viewer", "roles/viewer");
  expect((await request("PUT", HOST, INFO, { token: "ya29.viewer", body: {} })).status).toBe(403);
  expect((await request("GET", HOST, INFO, { token: "ya29.viewer" })).json["billingEnabled"]).toBe(true);
});
