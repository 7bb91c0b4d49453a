import { expect, test } from "vitest";
import type { Principal } from "../../../src/emulator/iam/principal.ts";
import { authorize, getPolicy, isAllowed, setPolicy, testPermissions } from "../../../src/emulator/iam/policy.ts";
import { createServiceAccount, deleteServiceAccount } from "../../../src/emulator/iam/service-accounts.ts";
import type { State } from "../../../src/emulator/state/state.ts";
import { openTestState, OWNER, PROJECT, PROJECT_NUMBER } from "../../helpers/api-server.ts";

const SERVICE = `projects/${PROJECT}/locations/us-central1/services/hello`;
const CALLER = `caller@${PROJECT}.iam.gserviceaccount.com`;
const caller: Principal = { member: `serviceAccount:${CALLER}`, email: CALLER, scopes: [] };
const user: Principal = { member: "user:ada@example.com", email: "ada@example.com", scopes: [] };

function openState(): State {
  const state = openTestState();
  createServiceAccount(state, { projectId: PROJECT, accountId: "caller" });
  return state;
}

function invokers(...members: string[]): object {
  return { bindings: [{ role: "roles/run.invoker", members }] };
}

test.for([
  ["nobody", invokers(), { anonymous: false, caller: false, user: false }],
  ["allUsers", invokers("allUsers"), { anonymous: true, caller: true, user: true }],
  ["allAuthenticatedUsers", invokers("allAuthenticatedUsers"), { anonymous: false, caller: true, user: true }],
  ["the caller", invokers(`serviceAccount:${CALLER}`), { anonymous: false, caller: true, user: false }],
  ["the caller, in capitals", invokers(`serviceAccount:${CALLER.toUpperCase()}`), { anonymous: false, caller: true, user: false }],
  ["a user", invokers("user:Ada@example.com"), { anonymous: false, caller: false, user: true }],
  ["a domain", invokers("domain:example.com"), { anonymous: false, caller: false, user: true }],
  ["another domain", invokers("domain:ample.com"), { anonymous: false, caller: false, user: false }],
  ["a group", invokers("group:all@example.com"), { anonymous: false, caller: false, user: false }],
  ["the caller, deleted", invokers(`deleted:serviceAccount:${CALLER}?uid=1`), { anonymous: false, caller: false, user: false }],
  [
    "the caller by a role without the permission",
    { bindings: [{ role: "roles/run.viewer", members: [`serviceAccount:${CALLER}`] }] },
    { anonymous: false, caller: false, user: false },
  ],
] as const)("a policy for %s", ([, policy, expected]) => {
  for (const resource of [SERVICE, `projects/${PROJECT}`]) {
    const state = openState();
    setPolicy(state, resource, policy);
    const isInvoker = (principal?: Principal): boolean => isAllowed(state, principal, "run.routes.invoke", SERVICE);
    expect({ anonymous: isInvoker(), caller: isInvoker(caller), user: isInvoker(user) }).toEqual(expected);
  }
});

test("a policy on one service doesn't apply to others, and a project's number works like its id", () => {
  const state = openState();
  setPolicy(state, SERVICE.replace(PROJECT, PROJECT_NUMBER), invokers("allUsers"));
  expect(isAllowed(state, undefined, "run.routes.invoke", SERVICE)).toBe(true);
  expect(isAllowed(state, undefined, "run.routes.invoke", `${SERVICE}-two`)).toBe(false);
  expect(isAllowed(state, undefined, "run.services.get", SERVICE)).toBe(false);
  const owner = { member: `serviceAccount:${OWNER}`, email: OWNER };
  expect(isAllowed(state, owner, "run.services.delete", `projects/${PROJECT_NUMBER}/locations/us-central1/services/hello`)).toBe(true);
});

test("a denied request gets an error with the permission and the resource", () => {
  expect(() => authorize(openState(), caller, "run.services.get", SERVICE)).toThrow(
    `Permission 'run.services.get' denied on resource '${SERVICE}' (or resource may not exist).`,
  );
});

test("a policy that was never set is empty, and its etag is valid for the first write", () => {
  const state = openState();
  expect(getPolicy(state, SERVICE)).toEqual({ version: 1, bindings: [], etag: "ACAB" });
  expect(setPolicy(state, SERVICE, { ...invokers("allUsers"), etag: "ACAB" }).bindings).toHaveLength(1);
  expect(setPolicy(state, SERVICE, { bindings: null, etag: null }).bindings).toEqual([]);
});

test("a policy is returned normalized: bindings of a role merged, members deduplicated, empty bindings removed", () => {
  const state = openState();
  const bindings = [
    { role: "roles/run.viewer", members: ["user:b@example.com"] },
    { role: "roles/run.invoker", members: ["user:b@example.com", "allUsers", "user:B@example.com"] },
    { role: "roles/run.admin", members: [] },
    { role: "roles/run.invoker", members: [`serviceAccount:${CALLER}`] },
  ];
  setPolicy(state, SERVICE, { bindings, version: 3 });
  expect(getPolicy(state, SERVICE)).toEqual({
    version: 1,
    etag: expect.stringMatching(/^[A-Za-z0-9+/]{11}=$/),
    bindings: [
      { role: "roles/run.invoker", members: ["allUsers", `serviceAccount:${CALLER}`, "user:b@example.com"] },
      { role: "roles/run.viewer", members: ["user:b@example.com"] },
    ],
  });
});

test("a write with a stale etag is ABORTED; each write changes the etag", () => {
  const state = openState();
  const first = setPolicy(state, SERVICE, invokers("allUsers"));
  const second = setPolicy(state, SERVICE, { ...invokers("allUsers"), etag: first.etag });
  expect(second.etag).not.toBe(first.etag);
  expect(() => setPolicy(state, SERVICE, { bindings: [], etag: first.etag })).toThrow(
    expect.objectContaining({
      status: "ABORTED",
      message: "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
    }),
  );
  expect(getPolicy(state, SERVICE)).toEqual(second);
});

test.for([
  [invokers(CALLER), `The member ${CALLER} is of an unknown type. Please set a valid type prefix for the member.`],
  [invokers("robot:x"), "The member robot:x is of an unknown type. Please set a valid type prefix for the member."],
  [invokers("serviceAccount:"), "The member serviceAccount: is of an unknown type. Please set a valid type prefix for the member."],
  [invokers("serviceAccount:x@y.iam.gserviceaccount.com"), "Service account x@y.iam.gserviceaccount.com does not exist."],
  [invokers("user:ada"), "User ada does not exist."],
  [{ bindings: [{ role: "roles/run.captain", members: ["allUsers"] }] }, "Role roles/run.captain is not supported for this resource."],
  [{ bindings: [{ role: "constructor", members: ["allUsers"] }] }, "Role constructor is not supported for this resource."],
  [undefined, "The request does not contain a policy."],
  [{ bindings: {} }, "Invalid value at 'policy.bindings'."],
  [{ bindings: [{ role: 1 }] }, "Invalid value at 'policy.bindings[0]'."],
  [{ bindings: [null] }, "Invalid value at 'policy.bindings[0]'."],
  [{ etag: 1 }, "Invalid value at 'policy.etag' (TYPE_BYTES)."],
] as const)("refuses the policy %j, and keeps what was there", ([policy, message]) => {
  const state = openState();
  const before = setPolicy(state, SERVICE, invokers("allUsers"));
  expect(() => setPolicy(state, SERVICE, policy)).toThrow(expect.objectContaining({ status: "INVALID_ARGUMENT", message }));
  expect(getPolicy(state, SERVICE)).toEqual(before);
});

test("Google's service agents of a known project can be members", () => {
  const state = openState();
  const members = [
    `service-${PROJECT_NUMBER}@serverless-robot-prod.iam.gserviceaccount.com`,
    `${PROJECT_NUMBER}-compute@developer.gserviceaccount.com`,
  ];
  expect(setPolicy(state, SERVICE, invokers(...members.map((email) => `serviceAccount:${email}`))).bindings[0]?.members).toHaveLength(2);
  expect(() => setPolicy(state, SERVICE, invokers("serviceAccount:service-1@serverless-robot-prod.iam.gserviceaccount.com"))).toThrow(
    "does not exist",
  );
});

test("an account recreated under its old name has none of the deleted one's roles", () => {
  const state = openState();
  setPolicy(state, SERVICE, invokers(`serviceAccount:${CALLER}`));
  const { uniqueId } = state.serviceAccounts.get(CALLER)!;
  deleteServiceAccount(state, state.serviceAccounts.get(CALLER)!);
  createServiceAccount(state, { projectId: PROJECT, accountId: "caller" });
  expect(isAllowed(state, caller, "run.routes.invoke", SERVICE)).toBe(false);
  expect(getPolicy(state, SERVICE).bindings[0]?.members).toEqual([`deleted:serviceAccount:${CALLER}?uid=${uniqueId}`]);
});

test("testIamPermissions returns the permissions that the caller has", () => {
  const state = openState();
  setPolicy(state, SERVICE, { bindings: [{ role: "roles/run.developer", members: [`serviceAccount:${CALLER}`] }] });
  const asked = ["run.services.get", "run.services.setIamPolicy", "run.services.update"];
  expect(testPermissions(state, caller, asked, SERVICE)).toEqual(["run.services.get", "run.services.update"]);
  expect(testPermissions(state, caller, undefined, SERVICE)).toEqual([]);
  for (const bad of ["x", [1], ["run"], ["run.services.*"]])
    expect(() => testPermissions(state, caller, bad, SERVICE)).toThrow(/permission/i);
});
