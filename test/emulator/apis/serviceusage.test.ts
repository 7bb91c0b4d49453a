import { expect, test } from "vitest";
import { createServiceUsageApi } from "../../../src/emulator/apis/serviceusage.ts";
import { DEFAULT_APIS } from "../../../src/emulator/apis/enabled-apis.ts";
import { openTestState, PROJECT, PROJECT_NUMBER, serveApis, signIn } from "../../helpers/api-server.ts";

const HOST = "serviceusage.googleapis.com";
const SERVICES = `/v1/projects/${PROJECT}/services`;

async function serve() {
  const state = openTestState();
  for (const key of state.apis.keys()) state.apis.delete(key);
  return { ...(await serveApis([createServiceUsageApi({ state, now: Date.now })], state)), state };
}

test("an API is DISABLED until it is enabled, and again after it was disabled", async () => {
  const { request } = await serve();
  const name = `projects/${PROJECT_NUMBER}/services/run.googleapis.com`;
  const state = async () => (await request("GET", HOST, `${SERVICES}/run.googleapis.com`)).json;
  expect(await state()).toMatchObject({
    name,
    parent: `projects/${PROJECT_NUMBER}`,
    state: "DISABLED",
    config: { title: "Cloud Run Admin API" },
  });
  const enabled = (await request("POST", HOST, `${SERVICES}/run.googleapis.com:enable`, { body: {} })).json;
  expect(enabled).toMatchObject({ done: true, response: { service: { name, state: "ENABLED" } } });
  expect((await request("GET", HOST, `/v1/${enabled["name"]}`)).json).toEqual(enabled);
  expect((await state())["state"]).toBe("ENABLED");
  await request("POST", HOST, `${SERVICES}/run.googleapis.com:disable`, { body: { disableDependentServices: true } });
  expect((await state())["state"]).toBe("DISABLED");
});

test("several APIs are enabled and read at once, by the project's number too, and listed by state", async () => {
  const { request } = await serve();
  const serviceIds = ["run.googleapis.com", "pubsub.googleapis.com"];
  const operation = (await request("POST", HOST, `/v1/projects/${PROJECT_NUMBER}/services:batchEnable`, { body: { serviceIds } })).json;
  expect(operation["response"].services).toHaveLength(2);
  const names = async (query: string) =>
    (await request("GET", HOST, `${SERVICES}?${query}`)).json["services"].map(({ config }: { config: { name: string } }) => config.name);
  expect(await names("filter=state:ENABLED")).toEqual(["pubsub.googleapis.com", "run.googleapis.com"]);
  expect(await names("filter=state:DISABLED")).toEqual(DEFAULT_APIS.filter((name) => name !== "run.googleapis.com").sort());
  expect(await names("")).toEqual([...DEFAULT_APIS, "pubsub.googleapis.com"].sort());
  const batch = (
    await request(
      "GET",
      HOST,
      `${SERVICES}:batchGet?names=${SERVICES.slice(4)}/run.googleapis.com&names=${SERVICES.slice(4)}/iam.googleapis.com`,
    )
  ).json;
  expect(batch["services"].map(({ state }: { state: string }) => state)).toEqual(["ENABLED", "DISABLED"]);
});

test.for<[string, string, object, number]>([
  ["an unknown name", `${SERVICES}/nonsense:enable`, {}, 403],
  ["an empty batch", `${SERVICES}:batchEnable`, {}, 400],
  [
    "a batch of more than twenty",
    `${SERVICES}:batchEnable`,
    { serviceIds: Array.from({ length: 21 }, (_, index) => `a${index}.googleapis.com`) },
    400,
  ],
  ["a batch with an unknown name", `${SERVICES}:batchEnable`, { serviceIds: ["run.googleapis.com", "x"] }, 403],
])("%s is refused, and nothing is enabled", async ([, path, body, status]) => {
  const { request, state } = await serve();
  expect((await request("POST", HOST, path, { body })).status).toBe(status);
  expect(state.apis.list()).toEqual([]);
});

test("a caller who can't enable APIs is told the missing permission; an unknown operation is 404", async () => {
  const { request, state } = await serve();
  signIn(state, `viewer@${PROJECT}.iam.gserviceaccount.com`, "ya29.viewer", "roles/viewer");
  const refused = await request("POST", HOST, `${SERVICES}/run.googleapis.com:enable`, { token: "ya29.viewer", body: {} });
  expect([refused.status, refused.json["error"].message]).toEqual([403, expect.stringContaining("serviceusage.services.enable")]);
  expect((await request("GET", HOST, "/v1/operations/none")).status).toBe(404);
});
