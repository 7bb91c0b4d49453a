import { verify } from "node:crypto";
import { expect, test } from "vitest";
import { setPolicy } from "../../../src/emulator/iam/policy.ts";
import { createServiceAccount } from "../../../src/emulator/iam/service-accounts.ts";
import { PROJECT, signIn } from "../../helpers/api-server.ts";
import { decode, NOW, openIdentity, serveIdentity } from "../../helpers/identity.ts";

const HOST = "iamcredentials.googleapis.com";
const CREATOR = "roles/iam.serviceAccountTokenCreator";
const HELPER = `helper@${PROJECT}.iam.gserviceaccount.com`;
const SCOPE = "https://www.googleapis.com/auth/cloud-platform";

/** Grants the helper a role on the caller, if given. */
async function open(role?: string) {
  // The access tokens of the tests are good by the real clock.
  const identity = await openIdentity({ live: true });
  const { state, caller } = identity;
  signIn(state, HELPER, "ya29.helper");
  const resource = `projects/${PROJECT}/serviceAccounts/${caller.email}`;
  if (role) setPolicy(state, resource, { bindings: [{ role, members: [`serviceAccount:${HELPER}`] }] });
  const { request } = await serveIdentity(identity);
  const act = (verb: string, body: object, account = caller.email, token = "ya29.helper") =>
    request("POST", HOST, `/v1/projects/-/serviceAccounts/${account}:${verb}`, { token, body });
  return { ...identity, request, act };
}

test("generateIdToken returns an ID token of the account, with its email address if requested", async () => {
  const { act, caller } = await open("roles/iam.serviceAccountOpenIdTokenCreator");
  const plain = await act("generateIdToken", { audience: "https://a.run.app" });
  const { claims } = decode(plain.json["token"]);
  expect(claims).toMatchObject({
    aud: "https://a.run.app",
    azp: caller.uniqueId,
    iss: "https://accounts.google.com",
    sub: caller.uniqueId,
  });
  expect(claims).not.toHaveProperty("email");
  const full = await act("generateIdToken", { audience: "https://a.run.app", includeEmail: true, useEmailAzp: true }, caller.uniqueId);
  expect(decode(full.json["token"]).claims).toMatchObject({ azp: caller.email, email: caller.email, email_verified: true });
});

test("generateAccessToken returns an access token of the account", async () => {
  const { act, request, state, caller } = await open(CREATOR);
  const { json } = await act("generateAccessToken", { scope: [SCOPE], lifetime: "300s", delegates: null });
  expect(json).toEqual({
    accessToken: expect.stringMatching(/^ya29\./),
    expireTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  });
  const left = Date.parse(json["expireTime"]) - Date.now();
  expect(left).toBeGreaterThan(290_000);
  expect(left).toBeLessThanOrEqual(300_000);
  setPolicy(state, `projects/${PROJECT}`, { bindings: [{ role: "roles/viewer", members: [`serviceAccount:${caller.email}`] }] });
  expect(
    (await request("GET", "iam.googleapis.com", `/v1/projects/${PROJECT}/serviceAccounts`, { token: json["accessToken"] })).status,
  ).toBe(200);
});

test("signJwt and signBlob sign with a published key that the token endpoint accepts", async () => {
  const { act, request, caller } = await open(CREATOR);
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: caller.email,
    aud: "https://oauth2.googleapis.com/token",
    iat: now,
    exp: now + 60,
    target_audience: "https://a.run.app",
  };
  const { signedJwt, keyId } = (await act("signJwt", { payload: JSON.stringify(claims) })).json as Record<string, string>;
  expect(decode(signedJwt ?? "")).toEqual({ header: { alg: "RS256", kid: keyId, typ: "JWT" }, claims });
  const body = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: signedJwt ?? "" });
  expect((await request("POST", "oauth2.googleapis.com", "/token", { token: "", body: body.toString() })).status).toBe(200);

  const blob = (await act("signBlob", { payload: Buffer.from("hello").toString("base64") })).json;
  const certificates = await request("GET", "www.googleapis.com", `/service_accounts/v1/metadata/x509/${caller.email}`, { token: "" });
  expect(verify("sha256", Buffer.from("hello"), certificates.json[blob["keyId"]], Buffer.from(blob["signedBlob"], "base64"))).toBe(true);
});

test.for([
  ["generateIdToken", { audience: "x" }, "iam.serviceAccounts.getOpenIdToken"],
  ["generateAccessToken", { scope: [SCOPE] }, "iam.serviceAccounts.getAccessToken"],
  ["signJwt", { payload: "{}" }, "iam.serviceAccounts.signJwt"],
  ["signBlob", { payload: "aaaa" }, "iam.serviceAccounts.signBlob"],
] as const)("%s is refused to callers that can't act as the account, even to an owner", async ([verb, body, permission]) => {
  const { act } = await open("roles/iam.serviceAccountUser");
  for (const token of ["ya29.helper", "ya29.owner"]) {
    const { status, json } = await act(verb, body, undefined, token);
    expect([status, json["error"]]).toEqual([
      403,
      {
        code: 403,
        message: `Permission '${permission}' denied on resource (or it may not exist).`,
        status: "PERMISSION_DENIED",
        details: [
          {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            reason: "IAM_PERMISSION_DENIED",
            domain: "iam.googleapis.com",
            metadata: { permission },
          },
        ],
      },
    ]);
  }
});

test("a chain of delegates works only if each can act as the next", async () => {
  const { act, state, caller } = await open();
  const middle = createServiceAccount(state, { projectId: PROJECT, accountId: "middle" });
  const body = { audience: "x", delegates: [`projects/-/serviceAccounts/${middle.email}`] };
  const permit = (target: string, member: string) =>
    setPolicy(state, `projects/${PROJECT}/serviceAccounts/${target}`, {
      bindings: [{ role: CREATOR, members: [`serviceAccount:${member}`] }],
    });

  expect((await act("generateIdToken", body)).json["error"]["details"][0]["metadata"]).toEqual({
    permission: "iam.serviceAccounts.implicitDelegation",
  });
  permit(middle.email, HELPER);
  expect((await act("generateIdToken", body)).json["error"]["details"][0]["metadata"]).toEqual({
    permission: "iam.serviceAccounts.getOpenIdToken",
  });
  permit(caller.email, middle.email);
  expect((await act("generateIdToken", body)).status).toBe(200);
  expect((await act("generateIdToken", { audience: "x" })).status).toBe(403);
});

test.for([
  ["generateIdToken", {}],
  ["generateIdToken", { audience: ["x"] }],
  ["generateIdToken", { audience: "x", delegates: "y" }],
  ["generateAccessToken", {}],
  ["generateAccessToken", { scope: ["https://a.run.app"] }],
  ["generateAccessToken", { scope: [SCOPE], lifetime: "0s" }],
  ["generateAccessToken", { scope: [SCOPE], lifetime: 300 }],
  ["signJwt", { payload: "[]" }],
  ["signJwt", { payload: { iss: "x" } }],
  ["signJwt", { payload: JSON.stringify({ exp: NOW * 2 }) }],
  ["signBlob", { payload: 1 }],
] as const)("%s %j contains an invalid argument", async ([verb, body]) => {
  const { act } = await open(CREATOR);
  const { json } = await act(verb, body);
  expect(json["error"]).toEqual({ code: 400, message: "Request contains an invalid argument.", status: "INVALID_ARGUMENT" });
});

test("a lifetime over an hour, a missing account, and a disabled account are refused", async () => {
  const { act, state, caller } = await open(CREATOR);
  const long = await act("generateAccessToken", { scope: [SCOPE], lifetime: "3601s" });
  expect([long.status, long.json["error"]["message"]]).toEqual([400, "The access token lifetime cannot exceed 3600 seconds."]);
  const nobody = await act("generateIdToken", { audience: "x" }, "nobody@example.com");
  expect([nobody.status, nobody.json["error"]["message"]]).toEqual([404, "Not found; Gaia id not found for email nobody@example.com"]);
  state.serviceAccounts.set(caller.email, { ...caller, disabled: true });
  expect((await act("generateIdToken", { audience: "x" })).json["error"]["status"]).toBe("FAILED_PRECONDITION");
});
