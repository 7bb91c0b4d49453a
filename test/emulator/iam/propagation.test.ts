import { expect, test } from "vitest";
import { activeBindings, getPolicy, isAllowed, setPolicy, setIamPropagation } from "../../../src/emulator/iam/policy.ts";
import { createServiceAccount, deleteServiceAccount } from "../../../src/emulator/iam/service-accounts.ts";
import { openTestState, PROJECT, reopenState, temporaryDirectory } from "../../helpers/api-server.ts";

const SERVICE = `projects/${PROJECT}/locations/us-central1/services/hello`;
const SECOND = 1000;

/** A state in which changes of policies take 90 s. */
function openSlow(directory = temporaryDirectory()) {
  let time = Date.parse("2026-05-05T12:00:00Z");
  const state = openTestState(directory, () => time);
  setIamPropagation(state, 90 * SECOND);
  const names = ["ada", "bob"] as const;
  const invokers = (...members: string[]) =>
    setPolicy(state, SERVICE, { bindings: [{ role: "roles/run.invoker", members: members.map((name) => `user:${name}@x.com`) }] });
  const letIn = () =>
    names.filter((name) => isAllowed(state, { member: `user:${name}@x.com`, email: `${name}@x.com` }, "run.routes.invoke", SERVICE));
  return { state, invokers, letIn, now: () => time, pass: (seconds: number) => (time += seconds * SECOND) };
}

test("a grant reads back at once and takes effect after the delay, and so does its revocation", () => {
  const { state, invokers, letIn, pass } = openSlow();
  const granted = invokers("ada");
  expect(getPolicy(state, SERVICE)).toEqual(granted);
  expect(letIn()).toEqual([]);
  pass(89.999);
  expect(letIn()).toEqual([]);
  pass(0.001);
  expect(letIn()).toEqual(["ada"]);
  invokers();
  expect(getPolicy(state, SERVICE).bindings).toEqual([]);
  pass(89);
  expect(letIn()).toEqual(["ada"]);
  pass(1);
  expect(letIn()).toEqual([]);
});

test("several changes propagate one after another", () => {
  const { invokers, letIn, pass } = openSlow();
  const seen = [];
  for (const members of [["ada"], ["ada", "bob"], ["bob"]]) {
    invokers(...members);
    pass(30);
    seen.push(letIn());
  }
  for (let index = 0; index < 3; index += 1) {
    seen.push(letIn());
    pass(30);
  }
  expect(seen).toEqual([[], [], ["ada"], ["ada"], ["ada", "bob"], ["bob"]]);
});

test("without a delay a change takes effect at once; a restart with a delay keeps active bindings", () => {
  const directory = temporaryDirectory();
  const first = openSlow(directory);
  setIamPropagation(first.state, 0);
  first.invokers("ada");
  expect(first.letIn()).toEqual(["ada"]);
  setIamPropagation(first.state, 90 * SECOND);
  first.invokers("bob");
  first.state.close();
  const again = reopenState(directory, first.now);
  expect(activeBindings(again, SERVICE)).toEqual([{ role: "roles/run.invoker", members: ["user:ada@x.com"] }]);
  expect(getPolicy(again, SERVICE).bindings).toEqual([{ role: "roles/run.invoker", members: ["user:bob@x.com"] }]);
});

test("an account recreated under a deleted one's name doesn't get bindings that are still active", () => {
  const { state } = openSlow();
  const account = createServiceAccount(state, { projectId: PROJECT, accountId: "caller" });
  const member = `serviceAccount:${account.email}`;
  setIamPropagation(state, 0);
  setPolicy(state, SERVICE, { bindings: [{ role: "roles/run.invoker", members: [member] }] });
  setIamPropagation(state, 90 * SECOND);
  setPolicy(state, SERVICE, { bindings: [] });
  const isInvoker = () => isAllowed(state, { member, email: account.email }, "run.routes.invoke", SERVICE);
  expect(isInvoker()).toBe(true);
  deleteServiceAccount(state, account);
  createServiceAccount(state, { projectId: PROJECT, accountId: "caller" });
  expect(isInvoker()).toBe(false);
});
