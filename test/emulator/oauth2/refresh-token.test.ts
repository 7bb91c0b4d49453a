import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { decode } from "../../helpers/identity.ts";
import { startEmulator } from "../../helpers/emulator.ts";

const emulator = await startEmulator(afterAll);
const { request, project, url } = emulator;
const EMAIL = "me@example.com";

async function admin(path: string, body: object) {
  const headers = { "x-cloudrun-oauth": "emulator" };
  const answer = await fetch(`${url}/_emulator/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: answer.status, json: (await answer.json()) as Record<string, string> };
}

const login = async (body: object = {}) => (await admin("logins", { email: EMAIL, ...body })).json;

async function refresh(login: Record<string, string>, changes: Record<string, string> = {}) {
  const { client_id = "", client_secret = "", refresh_token = "" } = login;
  const form = { grant_type: "refresh_token", client_id, client_secret, refresh_token, ...changes };
  return request("POST", "oauth2.googleapis.com", "/token", { token: "", body: new URLSearchParams(form).toString() });
}

test("a login gets an ID token for its client, whatever audience is requested, and an access token", async () => {
  const { status, json } = await refresh(await login(), { target_audience: "https://a.run.app" });
  expect({ status, ...json }).toMatchObject({ status: 200, token_type: "Bearer", expires_in: 3599 });
  expect(decode(json["id_token"]).claims).toMatchObject({
    iss: "https://accounts.google.com",
    aud: "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com",
    email: EMAIL,
    email_verified: true,
  });
  const path = `/v1/projects/${project}:testIamPermissions`;
  const body = { permissions: ["run.services.list"] };
  const listPermissions = async () =>
    (await request("POST", "cloudresourcemanager.googleapis.com", path, { token: json["access_token"], body })).json;
  expect(await listPermissions()).toEqual({ permissions: [] });
  const { json: policy } = await request("POST", "cloudresourcemanager.googleapis.com", `/v1/projects/${project}:getIamPolicy`, {
    body: {},
  });
  const bindings = [...policy["bindings"], { role: "roles/run.viewer", members: ["domain:example.com"] }];
  await request("POST", "cloudresourcemanager.googleapis.com", `/v1/projects/${project}:setIamPolicy`, {
    body: { policy: { ...policy, bindings } },
  });
  expect(await listPermissions()).toEqual(body);
});

test("a login without openid gets no ID token", async () => {
  const { json } = await refresh(await login({ scopes: ["https://www.googleapis.com/auth/cloud-platform"] }));
  expect(Object.keys(json)).toEqual(["access_token", "expires_in", "scope", "token_type"]);
});

test("a wrong client, secret or token is refused in Google's words", async () => {
  const mine = await login();
  const refused = async (changes: Record<string, string>) => (({ status, json }) => ({ status, ...json }))(await refresh(mine, changes));
  expect(await refused({ refresh_token: "" })).toEqual({
    status: 400,
    error: "invalid_request",
    error_description: "Missing required parameter: refresh_token",
  });
  expect(await refused({ refresh_token: "1//0other" })).toEqual({
    status: 400,
    error: "invalid_grant",
    error_description: "Token has been expired or revoked.",
  });
  expect(await refused({ client_id: "other" })).toEqual({ status: 401, error: "unauthorized_client", error_description: "Unauthorized" });
  expect(await refused({ client_secret: "other" })).toEqual({
    status: 401,
    error: "invalid_client",
    error_description: "The provided client secret is invalid.",
  });
});

test("a revoked login is refused", async () => {
  const mine = await login();
  const body = new URLSearchParams({ token: mine["refresh_token"] ?? "" }).toString();
  expect((await request("POST", "oauth2.googleapis.com", "/revoke", { token: "", body })).status).toBe(200);
  expect((await refresh(mine)).json).toMatchObject({ error: "invalid_grant" });
});

test("only people can sign in", async () => {
  for (const email of ["", "me", `caller@${project}.iam.gserviceaccount.com`, undefined])
    expect((await admin("logins", { email })).status).toBe(400);
});

test("a login's secrets are only in its file", async () => {
  const { refresh_token = "", client_secret = "" } = await login();
  const files = (readdirSync(emulator.directory, { recursive: true }) as string[]).map((name) => join(emulator.directory, name));
  const texts = files.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file, "latin1"));
  expect(texts.some((text) => text.includes(EMAIL))).toBe(true);
  expect(texts.filter((text) => text.includes(refresh_token) || text.includes(client_secret))).toEqual([]);
});
