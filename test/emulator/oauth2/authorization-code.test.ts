import { createHash } from "node:crypto";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { sendAdmin } from "../../helpers/admin.ts";
import { startEmulator } from "../../helpers/emulator.ts";
import { decode } from "../../helpers/identity.ts";

const emulator = await startEmulator(afterAll);
const { request, port } = emulator;
const VERIFIER = "v".repeat(43);
const REDIRECT_URI = "http://127.0.0.1:8085/";
const CLIENT = { client_id: "mine.apps.googleusercontent.com", client_secret: "secret" };
const SIGN_IN = {
  client_id: CLIENT.client_id,
  redirect_uri: REDIRECT_URI,
  response_type: "code",
  scope: "openid email",
  code_challenge: createHash("sha256").update(VERIFIER).digest("base64url"),
  code_challenge_method: "S256",
  state: "ours",
  login_hint: "me@example.com",
};

function signIn(changes: Record<string, string> = {}, headers: Record<string, string> = { "x-cloudrun-oauth": "emulator" }) {
  const query = new URLSearchParams({ ...SIGN_IN, ...changes });
  return request("GET", "accounts.google.com", `/o/oauth2/v2/auth?${query}`, { token: "", headers });
}

async function newCode(): Promise<string> {
  const { headers } = await signIn();
  return new URL(String(headers.location)).searchParams.get("code") ?? "";
}

async function exchange(form: Record<string, string>) {
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    ...CLIENT,
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
    ...form,
  });
  const { status, json } = await request("POST", "oauth2.googleapis.com", "/token", { token: "", body: body.toString() });
  return { status, ...json } as Record<string, unknown>;
}

test("a code is exchanged, once, for a login with an ID token for the client", async () => {
  const { status, headers } = await signIn();
  const answer = new URL(String(headers.location));
  expect([status, answer.origin, answer.searchParams.get("state")]).toEqual([302, "http://127.0.0.1:8085", "ours"]);
  const code = answer.searchParams.get("code") ?? "";
  const tokens = await exchange({ code });
  expect(tokens).toMatchObject({ status: 200, token_type: "Bearer", expires_in: 3599, scope: "openid email" });
  expect(decode(String(tokens["id_token"])).claims).toMatchObject({ aud: CLIENT.client_id, email: "me@example.com" });
  expect(await exchange({ code })).toMatchObject({ status: 400, error: "invalid_grant" });
  const refresh = { grant_type: "refresh_token", refresh_token: String(tokens["refresh_token"]) };
  expect(await exchange(refresh)).toMatchObject({ status: 200, access_token: expect.any(String) });
  expect(await exchange({ ...refresh, client_secret: "other" })).toMatchObject({ status: 401, error: "invalid_client" });
});

test.for([
  [{ code_verifier: "w".repeat(43) }, 400, "invalid_grant", "Invalid code verifier."],
  [{ code_verifier: "" }, 400, "invalid_grant", "Missing code verifier."],
  [{ redirect_uri: "http://127.0.0.1:1/" }, 400, "redirect_uri_mismatch", "Bad Request"],
  [{ client_id: "other.apps.googleusercontent.com" }, 401, "unauthorized_client", "Unauthorized"],
  [{ client_secret: "" }, 400, "invalid_request", "Missing required parameter: client_secret"],
  [{ code: "4/made-up" }, 400, "invalid_grant", "Malformed auth code."],
] as const)("an exchange with %j is refused", async ([changes, status, error, description]) => {
  expect(await exchange({ code: await newCode(), ...changes })).toEqual({ status, error, error_description: description });
});

test("a code expires after ten minutes", async () => {
  const code = await newCode();
  onTestFinished(async () => void (await sendAdmin(port, "PUT", "/_emulator/clock", { shift_ms: 0 })));
  await sendAdmin(port, "PUT", "/_emulator/clock", { shift_ms: 601_000 });
  expect(await exchange({ code })).toMatchObject({ status: 400, error: "invalid_grant" });
});

test.for([
  [{ redirect_uri: "https://evil.example/" }, "redirect_uri_mismatch"],
  [{ redirect_uri: "http://127.0.0.1.evil.example/" }, "redirect_uri_mismatch"],
  [{ client_id: "mine" }, "invalid_client"],
  [{ response_type: "token" }, "invalid_request"],
  [{ code_challenge: "" }, "invalid_request"],
  [{ code_challenge_method: "plain" }, "invalid_request"],
] as const)("a sign-in with %j shows an error page and doesn't redirect", async ([changes, error]) => {
  const { status, headers, text } = await signIn(changes);
  expect([status, headers.location, text]).toEqual([400, undefined, expect.stringContaining(error)]);
});

test("a web page can't sign anyone in, and an invalid account is denied", async () => {
  expect((await signIn({}, {})).status).toBe(400);
  const { headers } = await signIn({ login_hint: "nobody" });
  expect(headers.location).toBe(`${REDIRECT_URI}?state=ours&error=access_denied`);
});
