import { expect, test } from "vitest";
import { createIamApi } from "../../../src/emulator/apis/iam.ts";
import { createOrgPolicyApi } from "../../../src/emulator/apis/orgpolicy.ts";
import { createResourceManagerApi } from "../../../src/emulator/apis/cloudresourcemanager.ts";
import { setPolicy } from "../../../src/emulator/iam/policy.ts";
import { PROJECT, PROJECT_NUMBER, serveApis, signIn } from "../../helpers/api-server.ts";
import { openIdentity } from "../../helpers/identity.ts";

const HOST = "cloudresourcemanager.googleapis.com";
const NO_KEYS = "constraints/iam.disableServiceAccountKeyCreation";
const DOMAINS = "constraints/iam.allowedPolicyMemberDomains";

async function serve() {
  const identity = await openIdentity({ live: true });
  const { request } = await serveApis(
    [createResourceManagerApi(identity), createIamApi(identity), createOrgPolicyApi(identity)],
    identity.state,
  );
  const ask = (verb: string, body: object, project = PROJECT) => request("POST", HOST, `/v1/projects/${project}:${verb}`, { body });
  return { ...identity, request, ask };
}

test("a policy is set, shown, listed and cleared, by the project's id and number", async () => {
  const { ask } = await serve();
  expect((await ask("getOrgPolicy", { constraint: NO_KEYS })).json).toEqual({ constraint: NO_KEYS, etag: expect.any(String) });
  expect((await ask("getEffectiveOrgPolicy", { constraint: NO_KEYS })).json).toEqual({ constraint: NO_KEYS, booleanPolicy: {} });
  expect((await ask("getEffectiveOrgPolicy", { constraint: DOMAINS })).json).toEqual({
    constraint: DOMAINS,
    listPolicy: { allValues: "ALLOW" },
  });
  const set = (await ask("setOrgPolicy", { policy: { constraint: NO_KEYS, booleanPolicy: { enforced: true } } })).json;
  expect(set).toMatchObject({ constraint: NO_KEYS, booleanPolicy: { enforced: true }, etag: expect.any(String) });
  expect((await ask("getOrgPolicy", { constraint: NO_KEYS }, PROJECT_NUMBER)).json).toEqual(set);
  expect((await ask("getEffectiveOrgPolicy", { constraint: NO_KEYS })).json).toEqual({
    constraint: NO_KEYS,
    booleanPolicy: { enforced: true },
  });
  expect((await ask("listOrgPolicies", {})).json).toEqual({ policies: [set] });
  const stale = { constraint: NO_KEYS, etag: Buffer.from("stale").toString("base64") };
  expect((await ask("clearOrgPolicy", stale)).status).toBe(409);
  expect((await ask("clearOrgPolicy", { constraint: NO_KEYS })).status).toBe(200);
  expect((await ask("listOrgPolicies", {})).json).toEqual({ policies: [] });
});

test("v2 shows the effective policy as rules", async () => {
  const { ask, request } = await serve();
  const rules = async (name: string) => {
    const path = `/v2/projects/${PROJECT}/policies/${name}:getEffectivePolicy`;
    const { json } = await request("GET", "orgpolicy.googleapis.com", path);
    expect(json["name"]).toBe(`projects/${PROJECT_NUMBER}/policies/${name}`);
    return json["spec"].rules;
  };
  const requireInvoker = "constraints/run.managed.requireInvokerIam";
  expect(await rules("run.managed.requireInvokerIam")).toEqual([]);
  await ask("setOrgPolicy", { policy: { constraint: requireInvoker, booleanPolicy: { enforced: true } } });
  await ask("setOrgPolicy", { policy: { constraint: DOMAINS, listPolicy: { allowedValues: ["C0abc"] } } });
  expect(await rules("run.managed.requireInvokerIam")).toEqual([{ enforce: true }]);
  expect(await rules("iam.allowedPolicyMemberDomains")).toEqual([{ values: { allowedValues: ["C0abc"] } }]);
  await ask("setOrgPolicy", { policy: { constraint: DOMAINS, listPolicy: { allValues: "DENY" } } });
  expect(await rules("iam.allowedPolicyMemberDomains")).toEqual([{ denyAll: true }]);
  await ask("setOrgPolicy", { policy: { constraint: DOMAINS, listPolicy: { allValues: "ALLOW" } } });
  expect(await rules("iam.allowedPolicyMemberDomains")).toEqual([{ allowAll: true }]);
});

test("an invalid policy is refused, and so is a caller who can't set one", async () => {
  const { ask, state, request } = await serve();
  for (const policy of [
    {},
    { constraint: "x", booleanPolicy: {} },
    { constraint: NO_KEYS },
    { constraint: NO_KEYS, booleanPolicy: {}, listPolicy: {} },
  ])
    expect((await ask("setOrgPolicy", { policy })).status).toBe(400);
  signIn(state, `viewer@${PROJECT}.iam.gserviceaccount.com`, "ya29.viewer", "roles/viewer");
  const path = `/v1/projects/${PROJECT}:setOrgPolicy`;
  const body = { policy: { constraint: NO_KEYS, booleanPolicy: { enforced: true } } };
  expect((await request("POST", HOST, path, { token: "ya29.viewer", body })).status).toBe(403);
});

test.for([NO_KEYS, "constraints/iam.managed.disableServiceAccountKeyCreation"])(
  "no key can be created while %s is enforced",
  async (constraint) => {
    const { ask, request, caller } = await serve();
    const create = () =>
      request("POST", "iam.googleapis.com", `/v1/projects/${PROJECT}/serviceAccounts/${caller.email}/keys`, { body: {} });
    await ask("setOrgPolicy", { policy: { constraint, booleanPolicy: { enforced: true } } });
    expect((await create()).json["error"]).toMatchObject({
      code: 400,
      status: "FAILED_PRECONDITION",
      message: "Key creation is not allowed on this service account.",
      details: [{ violations: [{ type: constraint }] }],
    });
    await ask("setOrgPolicy", { policy: { constraint, restoreDefault: {} } });
    expect((await create()).status).toBe(200);
  },
);

test("if members are restricted, none from outside can be added, and existing ones stay", async () => {
  const { ask, state, caller } = await serve();
  const resource = `projects/${PROJECT}/locations/us-central1/services/hello`;
  const grant = (...members: string[]) => setPolicy(state, resource, { bindings: [{ role: "roles/run.invoker", members }] });
  grant("user:ada@example.com");
  await ask("setOrgPolicy", { policy: { constraint: DOMAINS, listPolicy: { allowedValues: ["C0abc"] } } });
  expect(() => grant("user:ada@example.com", `serviceAccount:${caller.email}`)).not.toThrow();
  expect(() => grant("user:ada@example.com", "allUsers")).toThrow(
    "One or more users named in the policy do not belong to a permitted customer, perhaps due to an organization policy.",
  );
});
