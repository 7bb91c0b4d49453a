import { expect, test } from "vitest";
import type { KnativeService } from "../../../src/emulator/run/knative.ts";
import { deterministicUrl, hashUrl } from "../../../src/emulator/run/names.ts";
import { audiencesOf, resolveHost } from "../../../src/emulator/run/resolve-host.ts";
import { createService } from "../../../src/emulator/run/services.ts";
import type { State } from "../../../src/emulator/state/state.ts";
import { openTestState, OWNER, PROJECT, testPlace } from "../../helpers/api-server.ts";
import { service } from "../../helpers/run-server.ts";

/** Creates a service as the API does, with the traffic of a deployed one. */
function addService(state: State, name: string, traffic: KnativeService["status"]["traffic"], annotations = {}) {
  const place = testPlace(state);
  const principal = { member: `serviceAccount:${OWNER}`, email: OWNER, scopes: [] };
  const made = createService({ state, now: Date.now }, { place, principal, dryRun: false, body: service({ name, annotations }) });
  state.services.set(`${PROJECT}/us-central1/${name}`, { ...made, status: { ...made.status, traffic } });
  return { place, service: made };
}

const host = (url: string | undefined) => url?.replace("https://", "") ?? "";

test("both URLs of a service resolve to it", () => {
  const state = openTestState();
  const { place } = addService(state, "my-service", [{ revisionName: "my-service-1", percent: 100 }]);
  for (const url of [hashUrl(place, "my-service"), deterministicUrl(place, "my-service")]) {
    expect(resolveHost(state, host(url), 0)).toMatchObject({
      service: { metadata: { name: "my-service" } },
      place,
      revisionName: "my-service-1",
    });
  }
});

test("both URLs resolve if the name is shortened, or looks like a tag's", () => {
  const state = openTestState();
  const names = ["b", "c"].map((end) => `${"a".repeat(58)}-${end}`);
  const { place } = names.map((name) => addService(state, name, [{ revisionName: name, percent: 100 }]))[0] as ReturnType<
    typeof addService
  >;
  names.push("a---b");
  addService(state, "a---b", [{ revisionName: "a---b", percent: 100 }]);
  for (const name of names) expect(resolveHost(state, host(hashUrl(place, name)), 0)?.revisionName).toBe(name);
});

test("traffic is split by percent", () => {
  const state = openTestState();
  const { place } = addService(state, "hello", [
    { revisionName: "blue", percent: 90 },
    { revisionName: "green", percent: 10, tag: "green" },
    { revisionName: "red", tag: "old" },
  ]);
  const at = (random: number) => resolveHost(state, host(hashUrl(place, "hello")), random)?.revisionName;
  expect([at(0), at(0.89), at(0.9), at(0.9999)]).toEqual(["blue", "blue", "green", "green"]);
});

test("a tag resolves to its revision, whatever its percent; an unknown tag doesn't resolve", () => {
  const state = openTestState();
  const { place } = addService(state, "hello", [
    { revisionName: "blue", percent: 100 },
    { revisionName: "red", tag: "old" },
  ]);
  expect(resolveHost(state, host(hashUrl(place, "hello", "old")), 0)).toMatchObject({ revisionName: "red", tag: "old" });
  expect(resolveHost(state, `old---${host(deterministicUrl(place, "hello"))}`, 0)).toMatchObject({ revisionName: "red" });
  expect(resolveHost(state, host(hashUrl(place, "hello", "new")), 0)).toBeUndefined();
});

test("a service without a ready revision resolves without a revision", () => {
  const state = openTestState();
  const { place } = addService(state, "hello", []);
  const route = resolveHost(state, host(hashUrl(place, "hello")), 0.5);
  expect(route?.service.metadata.name).toBe("hello");
  expect(route?.revisionName).toBeUndefined();
});

test.for([
  "run.app",
  "a.run.app",
  "hello.a.run.app",
  "hello-aaaaaaaaaa-uc.a.run.app",
  "hello-aaaaaaaaaa-xx.a.run.app",
  "hello-123456789012.europe-west1.run.app",
  "hello-999999999999.us-central1.run.app",
  "---.a.run.app",
  "hello-123456789012.us-central1.run.app.evil.example",
])("%s doesn't resolve", (unknown) => {
  const state = openTestState();
  addService(state, "hello", [{ revisionName: "blue", percent: 100 }]);
  expect(resolveHost(state, unknown, 0)).toBeUndefined();
});

test("a service's audiences are its URLs without tags and its custom audiences", () => {
  const state = openTestState();
  const { place, service } = addService(state, "hello", [], { "run.googleapis.com/custom-audiences": `["https://api.example.com"]` });
  expect(audiencesOf(service)).toEqual([deterministicUrl(place, "hello"), hashUrl(place, "hello"), "https://api.example.com"]);
});
