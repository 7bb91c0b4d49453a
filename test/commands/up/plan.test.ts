import { expect, test } from "vitest";
import type { Service } from "../../../src/cloud/service.ts";
import { readService } from "../../../src/cloud/messages/knative-service.ts";
import { CREATED_LABELS, grantLabels } from "../../../src/commands/up/ownership-labels.ts";
import { planSteps, type UpState } from "../../../src/commands/up/plan.ts";
import { KNATIVE_SERVICE } from "../../helpers/command-line.ts";

const GOAL = {
  service: "hello",
  project: "my-project",
  region: "us-central1",
  directory: "/hello",
  image: "gcr.io/my-project/hello:src-1",
};
const MEMBER = "user:me@example.com";
const PUBLIC_POLICY = { bindings: [{ role: "roles/run.invoker", members: ["allUsers"] }], etag: "" };
const GRANTED_POLICY = { bindings: [{ role: "roles/run.invoker", members: [MEMBER] }], etag: "" };
const NO_POLICY = { bindings: [], etag: "" };

/** A service that runs the goal's image, with all traffic on the latest revision. */
function serviceWith(changes: Partial<Service> = {}): Service {
  return { ...readService(KNATIVE_SERVICE, GOAL), image: GOAL.image, ...changes };
}

/** The actions of a plan, without the verifications that every plan has. */
function actionsFor(state: UpState, check?: string) {
  const steps = planSteps({ ...GOAL, ...(check !== undefined && { check }) }, state);
  return steps.flatMap(({ action }) => (action && action.kind !== "refuse" && action.kind !== "invoke" ? [action] : []));
}

const kindsFor = (...args: Parameters<typeof actionsFor>) => actionsFor(...args).map(({ kind }) => kind);

test("without a service, everything is created, labeled, and granted to a member who can be unknown", () => {
  const actions = actionsFor({ policy: NO_POLICY, isImageBuilt: false });
  expect(actions).toMatchObject([
    { kind: "build", options: { repositoryLabels: CREATED_LABELS } },
    { kind: "deploy", options: { image: GOAL.image, labels: CREATED_LABELS } },
    { kind: "grant", member: undefined },
  ]);
  expect(kindsFor({ policy: NO_POLICY, isImageBuilt: true })).toEqual(["deploy", "grant"]);
});

test("a service that runs the source needs no build, no deployment and no grant", () => {
  expect(kindsFor({ service: serviceWith(), policy: GRANTED_POLICY, member: MEMBER, isImageBuilt: false })).toEqual([]);
});

test("another source becomes a candidate if a path is checked or the traffic is divided", () => {
  const state = { policy: GRANTED_POLICY, member: MEMBER, isImageBuilt: true };
  const service = serviceWith({ image: "gcr.io/my-project/hello:src-0" });
  const pinned = { ...service, traffic: [{ revision: "hello-00001-abc", percent: 100, latest: false, tag: null, url: null }] };
  expect(kindsFor({ ...state, service })).toEqual(["deploy"]);
  expect(kindsFor({ ...state, service }, "/health")).toEqual(["deploy", "check", "promote"]);
  expect(kindsFor({ ...state, service: pinned })).toEqual(["deploy", "promote"]);
  expect(actionsFor({ ...state, service: pinned })[0]).toMatchObject({ options: { tag: "candidate", noTraffic: true } });
});

test("a candidate that an earlier run left is promoted, and divided traffic without one stays", () => {
  const state = { policy: GRANTED_POLICY, member: MEMBER, isImageBuilt: true };
  const pinned = { revision: "hello-00001-abc", percent: 100, latest: false, tag: null, url: null };
  const candidate = { revision: "hello-00002-abc", percent: 0, latest: false, tag: "candidate", url: "https://candidate---hello.run.app" };
  expect(kindsFor({ ...state, service: serviceWith({ traffic: [pinned, candidate] }) }, "/")).toEqual(["check", "promote"]);
  const steps = planSteps(GOAL, { ...state, service: serviceWith({ traffic: [pinned] }) });
  expect(steps.find(({ name }) => name === "promote")?.note).toContain("Traffic is pinned to hello-00001-abc (100%).");
});

test("a deployment that is running is waited for, and one that failed is replaced", () => {
  const state = { policy: GRANTED_POLICY, member: MEMBER, isImageBuilt: true };
  const ready = (status: string) => [{ type: "Ready", status, reason: null, message: null }];
  const latest = { latest_created_revision: "hello-00003-abc" };
  expect(kindsFor({ ...state, service: serviceWith({ ...latest, conditions: ready("Unknown") }) })).toEqual(["wait"]);
  expect(kindsFor({ ...state, service: serviceWith({ ...latest, conditions: ready("False") }) })).toEqual(["deploy"]);
});

test("a grant on a service that existed before is labeled once, by the deployment if there is one", () => {
  const state = { policy: NO_POLICY, member: MEMBER, isImageBuilt: true };
  const labels = grantLabels(MEMBER);
  expect(actionsFor({ ...state, service: serviceWith() })).toEqual([{ kind: "grant", member: MEMBER, labels }]);
  expect(actionsFor({ ...state, service: serviceWith({ labels }) })).toEqual([{ kind: "grant", member: MEMBER }]);
  expect(actionsFor({ ...state, service: serviceWith({ labels: CREATED_LABELS }) })).toEqual([{ kind: "grant", member: MEMBER }]);
  expect(actionsFor({ ...state, service: serviceWith({ image: "gcr.io/my-project/hello:src-0" }) })).toMatchObject([
    { kind: "deploy", options: { labels } },
    { kind: "grant", member: MEMBER },
  ]);
});

test("without the policy nothing is granted, and a public service is a conflict", () => {
  const state = { service: serviceWith(), member: MEMBER, isImageBuilt: true };
  expect(kindsFor(state)).toEqual([]);
  expect(() => planSteps(GOAL, { ...state, policy: PUBLIC_POLICY })).toThrow(/isn't private: allUsers has access/);
});
