import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createServiceAccount } from "../../../src/emulator/iam/service-accounts.ts";
import { signJwt } from "../../../src/emulator/oauth2/jwt.ts";
import { PROJECT, PROJECT_NUMBER, signIn } from "../../helpers/api-server.ts";
import { openIdentity, serveIdentity } from "../../helpers/identity.ts";

const IAM = "iam.googleapis.com";
const ACCOUNTS = `/v1/projects/${PROJECT}/serviceAccounts`;
const EMAIL = `robot-1@${PROJECT}.iam.gserviceaccount.com`;

async function open() {
  const identity = await openIdentity({ live: true });
  return { ...identity, ...(await serveIdentity(identity)) };
}

test("a service account is created, read under each of its names, changed, listed and deleted", async () => {
  const { request } = await open();
  const body = { accountId: "robot-1", serviceAccount: { displayName: "Robot", description: "One" } };
  const created = await request("POST", IAM, ACCOUNTS, { body });
  expect([created.status, created.json]).toEqual([
    200,
    {
      name: `projects/${PROJECT}/serviceAccounts/${EMAIL}`,
      projectId: PROJECT,
      uniqueId: expect.stringMatching(/^1\d{20}$/),
      email: EMAIL,
      displayName: "Robot",
      description: "One",
      etag: expect.any(String),
      oauth2ClientId: created.json["uniqueId"],
    },
  ]);
  const { uniqueId } = created.json;
  for (const name of [
    `${ACCOUNTS}/${encodeURIComponent(EMAIL)}`,
    `/v1/projects/-/serviceAccounts/${uniqueId}`,
    `/v1/projects/${PROJECT_NUMBER}/serviceAccounts/${EMAIL}`,
  ]) {
    expect((await request("GET", IAM, name)).json).toEqual(created.json);
  }

  const patch = { serviceAccount: { displayName: "Other", description: "ignored" }, updateMask: "displayName" };
  expect((await request("PATCH", IAM, `${ACCOUNTS}/${EMAIL}`, { body: patch })).json).toEqual({ ...created.json, displayName: "Other" });

  const emails: string[] = [];
  for (let token = ""; ;) {
    const { json } = await request("GET", IAM, `${ACCOUNTS}?pageSize=1&pageToken=${token}`);
    emails.push(...json["accounts"].map(({ email }: { email: string }) => email));
    token = json["nextPageToken"] ?? "";
    if (!token) break;
  }
  expect(emails).toEqual([`caller@${PROJECT}.iam.gserviceaccount.com`, `owner@${PROJECT}.iam.gserviceaccount.com`, EMAIL]);

  expect((await request("DELETE", IAM, `${ACCOUNTS}/${EMAIL}`)).json).toEqual({});
  const gone = await request("GET", IAM, `${ACCOUNTS}/${EMAIL}`);
  expect(gone.json["error"]).toEqual({ code: 404, message: "Unknown service account", status: "NOT_FOUND" });
});

test.for([
  [{ accountId: "caller" }, 409, `Service account caller already exists within project projects/${PROJECT}.`],
  [{ accountId: "short" }, 400, 'The account ID "short" does not have a length between 6 and 30.'],
  [{}, 400, 'The account ID "" does not have a length between 6 and 30.'],
  [
    { accountId: "Robots" },
    400,
    'The account ID "Robots" must start with a lowercase letter and contain only lowercase letters, digits, and hyphens.',
  ],
] as const)("refuses to create %j", async ([body, status, message]) => {
  const { request } = await open();
  const answer = await request("POST", IAM, ACCOUNTS, { body });
  expect([answer.status, answer.json["error"]["message"]]).toEqual([status, message]);
});

test("a key is created with its file, read, disabled and deleted", async () => {
  const { request, state, caller } = await open();
  const keys = `/v1/projects/-/serviceAccounts/${caller.email}/keys`;
  const { json } = await request("POST", IAM, keys, { body: { privateKeyType: "TYPE_GOOGLE_CREDENTIALS_FILE" } });
  const file = JSON.parse(Buffer.from(json["privateKeyData"], "base64").toString());
  const keyId = json["name"].split("/").pop();
  expect(json).toMatchObject({
    name: `projects/${PROJECT}/serviceAccounts/${caller.email}/keys/${keyId}`,
    privateKeyType: "TYPE_GOOGLE_CREDENTIALS_FILE",
    keyAlgorithm: "KEY_ALG_RSA_2048",
    keyType: "USER_MANAGED",
    validBeforeTime: "9999-12-31T23:59:59Z",
  });
  expect(file).toEqual({
    type: "service_account",
    project_id: PROJECT,
    private_key_id: keyId,
    private_key: expect.stringMatching(/^-----BEGIN PRIVATE KEY-----\n[^]+\n-----END PRIVATE KEY-----\n$/),
    client_email: caller.email,
    client_id: caller.uniqueId,
    auth_uri: "https://accounts.google.com/o/oauth2/auth",
    token_uri: "https://oauth2.googleapis.com/token",
    auth_provider_x509_cert_url: "https://www.googleapis.com/oauth2/v1/certs",
    client_x509_cert_url: `https://www.googleapis.com/robot/v1/metadata/x509/${encodeURIComponent(caller.email)}`,
    universe_domain: "googleapis.com",
  });
  // The emulator keeps what verifies, not what signs.
  expect(readFileSync(join(state.directory, "state.jsonl"), "utf8")).not.toContain(file.private_key.split("\n")[5]);

  const privateKey = createPrivateKey(file.private_key);
  const shown = await request("GET", IAM, `${keys}/${keyId}?publicKeyType=TYPE_X509_PEM_FILE`);
  const certificate = new X509Certificate(Buffer.from(shown.json["publicKeyData"], "base64"));
  expect(certificate.publicKey.equals(createPublicKey(privateKey))).toBe(true);

  await request("POST", IAM, `${keys}/${keyId}:disable`);
  expect((await request("GET", IAM, `${keys}/${keyId}`)).json["disabled"]).toBe(true);
  expect((await request("DELETE", IAM, `${keys}/${keyId}`)).status).toBe(200);
  expect((await request("GET", IAM, `${keys}/${keyId}`)).json["error"]).toMatchObject({
    code: 404,
    message: `Service account key ${keyId} does not exist.`,
  });
});

test.for([{ privateKeyType: "TYPE_PKCS12_FILE" }, { keyAlgorithm: "KEY_ALG_RSA_1024" }])(
  "refuses to create a key of the kind %j",
  async (body) => {
    const { request, caller } = await open();
    expect((await request("POST", IAM, `${ACCOUNTS}/${caller.email}/keys`, { body })).status).toBe(400);
  },
);

test("an account's policy decides who can act as it", async () => {
  const { request, state, caller } = await open();
  signIn(state, `helper@${PROJECT}.iam.gserviceaccount.com`, "ya29.helper");
  const account = `${ACCOUNTS}/${caller.email}`;
  const ask = { token: "ya29.helper", body: { permissions: ["iam.serviceAccounts.actAs", "iam.serviceAccounts.delete"] } };
  expect((await request("POST", IAM, `${account}:testIamPermissions`, ask)).json["permissions"]).toEqual([]);
  expect((await request("GET", IAM, account, { token: "ya29.helper" })).status).toBe(403);

  const { json: policy } = await request("POST", IAM, `${account}:getIamPolicy`);
  const bindings = [{ role: "roles/iam.serviceAccountUser", members: [`serviceAccount:helper@${PROJECT}.iam.gserviceaccount.com`] }];
  expect((await request("POST", IAM, `${account}:setIamPolicy`, { body: { policy: { ...policy, bindings } } })).json["bindings"]).toEqual(
    bindings,
  );
  expect((await request("POST", IAM, `${account}:testIamPermissions`, ask)).json["permissions"]).toEqual(["iam.serviceAccounts.actAs"]);
  expect((await request("GET", IAM, account, { token: "ya29.helper" })).status).toBe(200);
  expect((await request("DELETE", IAM, account, { token: "ya29.helper" })).status).toBe(403);
});

test("a caller without a role can't find out which accounts exist", async () => {
  const { request, state, caller } = await open();
  signIn(state, `helper@${PROJECT}.iam.gserviceaccount.com`, "ya29.helper");
  for (const project of [PROJECT, "-", "other-project"]) {
    for (const account of [caller.email, EMAIL, "123456"]) {
      expect((await request("GET", IAM, `/v1/projects/${project}/serviceAccounts/${account}`, { token: "ya29.helper" })).status).toBe(403);
    }
  }
});

test("predefined roles are listed and read", async () => {
  const { request } = await open();
  const { json } = await request("GET", IAM, "/v1/roles");
  expect(json["roles"]).toContainEqual({ name: "roles/run.invoker", title: "Cloud Run Invoker", stage: "GA", etag: "AA==" });
  expect((await request("GET", IAM, "/v1/roles/run.invoker")).json["includedPermissions"]).toContain("run.routes.invoke");
  expect((await request("GET", IAM, "/v1/roles/run.captain")).status).toBe(404);
});

test("a key of an account that was deleted meanwhile isn't stored", async () => {
  const { request, state } = await open();
  createServiceAccount(state, { projectId: PROJECT, accountId: "robot-1" });
  const [made] = await Promise.all([request("POST", IAM, `${ACCOUNTS}/${EMAIL}/keys`), request("DELETE", IAM, `${ACCOUNTS}/${EMAIL}`)]);
  expect(made.status).toBe(404);
  expect(state.keys.keys(EMAIL)).toEqual([]);
});

test("the managed key of one account doesn't sign for another", async () => {
  const { request, caller, signingKeys } = await open();
  const managed = await signingKeys.accountKey("1");
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: caller.email, aud: "https://oauth2.googleapis.com/token", iat: now, exp: now + 60, target_audience: "x" };
  const body = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion: signJwt(JSON.stringify(claims), managed),
  });
  const { json } = await request("POST", "oauth2.googleapis.com", "/token", { token: "", body: body.toString() });
  expect(json["error_description"]).toBe("Invalid JWT Signature.");
});
