import { expect, test } from "vitest";
import { createPolicyTroubleshooterApi } from "../../../src/emulator/apis/policytroubleshooter.ts";
import { setPolicy, setIamPropagation } from "../../../src/emulator/iam/policy.ts";
import { createServiceAccount } from "../../../src/emulator/iam/service-accounts.ts";
import { openTestState, OWNER, PROJECT, PROJECT_NUMBER, serveApis, signIn } from "../../helpers/api-server.ts";

const SERVICE = `projects/${PROJECT}/locations/us-central1/services/hello`;
const POOL = `//iam.googleapis.com/projects/${PROJECT_NUMBER}/locations/global/workloadIdentityPools/pipelines`;
const ADA = "ada@example.com";

async function open() {
  const state = openTestState();
  const server = await serveApis([createPolicyTroubleshooterApi({ state })], state);
  const ask = async (principal: string, changes: object = {}, token?: string) => {
    const accessTuple = { principal, fullResourceName: `//run.googleapis.com/${SERVICE}`, permission: "run.routes.invoke", ...changes };
    const options = { body: { accessTuple }, ...(token && { token }) };
    const { status, json } = await server.request("POST", "policytroubleshooter.googleapis.com", "/v1/iam:troubleshoot", options);
    return { status, json };
  };
  const grant = (...bindings: object[]) => setPolicy(state, SERVICE, { version: 3, bindings });
  return { state, ask, grant };
}

test("explains each binding of the service and of its project", async () => {
  const { ask, grant } = await open();
  const { etag } = grant({ role: "roles/run.invoker", members: [`user:${ADA}`, "domain:example.org"] });
  const { status, json } = await ask(ADA);
  expect(status).toBe(200);
  expect(json).toEqual({
    access: "GRANTED",
    errors: [],
    explainedPolicies: [
      {
        access: "GRANTED",
        fullResourceName: `//run.googleapis.com/${SERVICE}`,
        policy: { version: 1, etag, bindings: [{ role: "roles/run.invoker", members: ["domain:example.org", `user:${ADA}`] }] },
        relevance: "HIGH",
        bindingExplanations: [
          {
            access: "GRANTED",
            role: "roles/run.invoker",
            rolePermission: "ROLE_PERMISSION_INCLUDED",
            rolePermissionRelevance: "HIGH",
            relevance: "HIGH",
            memberships: {
              "domain:example.org": { membership: "MEMBERSHIP_NOT_INCLUDED", relevance: "NORMAL" },
              [`user:${ADA}`]: { membership: "MEMBERSHIP_INCLUDED", relevance: "HIGH" },
            },
          },
        ],
      },
      expect.objectContaining({
        access: "NOT_GRANTED",
        fullResourceName: `//cloudresourcemanager.googleapis.com/projects/${PROJECT}`,
        relevance: "NORMAL",
        bindingExplanations: [
          expect.objectContaining({ role: "roles/owner", rolePermission: "ROLE_PERMISSION_INCLUDED", relevance: "NORMAL" }),
        ],
      }),
    ],
  });
});

test("a role without the permission, and a condition that isn't met, grant nothing and are shown", async () => {
  const { ask, grant } = await open();
  const condition = { title: "never", expression: "false" };
  grant({ role: "roles/run.invoker", members: [`user:${ADA}`], condition }, { role: "roles/run.viewer", members: [`user:${ADA}`] });
  const { json } = await ask(ADA);
  expect(json["access"]).toBe("NOT_GRANTED");
  expect(json["explainedPolicies"][0].bindingExplanations).toMatchObject([
    { access: "NOT_GRANTED", rolePermission: "ROLE_PERMISSION_INCLUDED", relevance: "HIGH", condition },
    { access: "NOT_GRANTED", rolePermission: "ROLE_PERMISSION_NOT_INCLUDED", relevance: "NORMAL" },
  ]);
});

test("a caller who can't read a policy doesn't see its contents", async () => {
  const { state, ask, grant } = await open();
  signIn(state, `nobody@${PROJECT}.iam.gserviceaccount.com`, "nobody");
  signIn(state, `viewer@${PROJECT}.iam.gserviceaccount.com`, "viewer");
  grant({ role: "roles/run.viewer", members: [`serviceAccount:viewer@${PROJECT}.iam.gserviceaccount.com`] });
  expect((await ask(ADA, {}, "nobody")).json).toEqual({
    access: "UNKNOWN_INFO_DENIED",
    errors: [],
    explainedPolicies: [{ access: "UNKNOWN_INFO_DENIED" }, { access: "UNKNOWN_INFO_DENIED" }],
  });
  expect((await ask(ADA, {}, "viewer")).json["explainedPolicies"]).toMatchObject([
    { access: "NOT_GRANTED" },
    { access: "UNKNOWN_INFO_DENIED" },
  ]);
});

test("a pool's principal matches its whole pool, and resources can be service accounts and projects", async () => {
  const { state, ask, grant } = await open();
  state.workloadIdentityPools.set(`${PROJECT}/pipelines`, { projectNumber: PROJECT_NUMBER, id: "pipelines", state: "ACTIVE" });
  grant({ role: "roles/run.invoker", members: [`principalSet:${POOL}/*`] });
  expect((await ask(`principal:${POOL}/subject/main`)).json["access"]).toBe("GRANTED");
  const fullResourceName = `//iam.googleapis.com/projects/${PROJECT}/serviceAccounts/${OWNER}`;
  expect((await ask(OWNER, { fullResourceName, permission: "iam.serviceAccounts.actAs" })).json["access"]).toBe("GRANTED");
  expect((await ask(OWNER, { fullResourceName, permission: "iam.serviceAccounts.getAccessToken" })).json["access"]).toBe("NOT_GRANTED");
  const project = `//cloudresourcemanager.googleapis.com/projects/${PROJECT_NUMBER}`;
  expect((await ask(OWNER, { fullResourceName: project, permission: "run.services.list" })).json["explainedPolicies"]).toHaveLength(1);
});

test("reports that an account can't act, and that a change is propagating", async () => {
  const { state, ask, grant } = await open();
  const account = createServiceAccount(state, { projectId: PROJECT, accountId: "caller" });
  state.serviceAccounts.set(account.email, { ...account, disabled: true });
  setIamPropagation(state, 60_000);
  grant({ role: "roles/run.invoker", members: [`serviceAccount:${account.email}`] });
  const { json } = await ask(account.email);
  expect(json["access"]).toBe("NOT_GRANTED");
  expect(json["errors"]).toEqual([
    { code: 9, message: `Service account ${account.email} is disabled.` },
    { code: 14, message: expect.stringMatching(`The last change of the policy of ${SERVICE} takes effect at 20`) },
  ]);
  const absent = `absent@${PROJECT}.iam.gserviceaccount.com`;
  expect((await ask(absent)).json["errors"][0]).toEqual({ code: 5, message: `Service account ${absent} does not exist.` });
});

test.for([
  [ADA, { fullResourceName: SERVICE }],
  ["group:all@example.com", {}],
  [ADA, { permission: 1 }],
] as const)("refuses to explain %s with %j", async ([principal, changes]) => {
  const { ask } = await open();
  expect((await ask(principal, changes)).status).toBe(400);
});
