import { createServer } from "node:http";
import { expect, test } from "vitest";
import { fetchAccessTokenWithKey, fetchIdTokenWithKey } from "../../src/auth/service-account-tokens.ts";
import type { AuthContext } from "../../src/auth/auth-context.ts";
import { parseServiceAccountKey } from "../../src/auth/service-account-key.ts";
import { deleteServiceAccount } from "../../src/emulator/iam/service-accounts.ts";
import { CliError } from "../../src/errors/cli-error.ts";
import { createSend } from "../../src/http/client.ts";
import type { Request } from "../../src/http/request.ts";
import { failure } from "../helpers/failure.ts";
import { addKey, CALLER_PAIR, decode, NOW, openIdentity, OTHER_PAIR, serveIdentity } from "../helpers/identity.ts";
import { EMAIL, keyFields } from "../helpers/key-file.ts";
import { listen } from "../helpers/listen.ts";

const AUDIENCE = "https://hello-abc123-uc.a.run.app";
const KEY = parseServiceAccountKey(keyFields(), "The key");

/** The emulator's token endpoint under Google's name, and a client with the same clock. */
async function openExchange({ live = false } = {}) {
  const identity = await openIdentity({ live });
  const { port } = await serveIdentity(identity);
  const env = { CLOUDRUN_OAUTH_EMULATOR: `http://127.0.0.1:${port}` };
  const exchange: AuthContext = { env, send: createSend({ env }), now: identity.now };
  return { ...identity, exchange };
}

async function serve(answers: readonly (readonly [status: number, body: string, headers?: Record<string, string>])[]) {
  let requests = 0;
  const server = createServer((_, response) => {
    const [status, body, headers] = answers[Math.min(requests, answers.length - 1)] as (typeof answers)[number];
    requests += 1;
    response.writeHead(status, headers).end(body);
  });
  const port = await listen(server);
  const key = parseServiceAccountKey(keyFields({ token_uri: `http://127.0.0.1:${port}/token` }), "The key");
  return { key, exchange: { env: {}, send: createSend({ env: {} }) }, requests: () => requests };
}

test("a key is exchanged for an ID token of its account and for the audience", async () => {
  const { exchange } = await openExchange();
  const { claims } = decode(await fetchIdTokenWithKey(KEY, AUDIENCE, exchange));
  expect(claims).toMatchObject({ iss: "https://accounts.google.com", aud: AUDIENCE, email: EMAIL, email_verified: true, exp: NOW + 3600 });
});

test("a key is exchanged for an access token with its expiry", async () => {
  const { exchange } = await openExchange();
  expect(await fetchAccessTokenWithKey(KEY, exchange)).toEqual({ token: expect.stringMatching(/^ya29\./), expires: NOW + 3599 });
});

test("a deleted key and a replaced key are TOKEN_REFUSED with a hint", async () => {
  const { state, caller, exchange } = await openExchange();
  state.keys.delete(`${EMAIL}/${CALLER_PAIR.keyId}`);
  await addKey(state, caller, OTHER_PAIR);
  const error = await failure(fetchIdTokenWithKey(KEY, AUDIENCE, exchange));
  expect(error).toMatchObject({
    code: "TOKEN_REFUSED",
    message: `oauth2.googleapis.com refused to issue a token for ${EMAIL}: Invalid JWT Signature (invalid_grant).`,
    details: { error: "invalid_grant", error_description: "Invalid JWT Signature." },
  });
  expect(error.next[0]?.command).toEqual(["keys", "list", "--account", EMAIL]);
});

test("a disabled account and a deleted account are distinguished", async () => {
  const { state, caller, exchange } = await openExchange();
  state.serviceAccounts.set(EMAIL, { ...caller, disabled: true });
  expect(await failure(fetchIdTokenWithKey(KEY, AUDIENCE, exchange))).toMatchObject({
    code: "TOKEN_REFUSED",
    next: [{ text: "To enable the account", program: "gcloud", command: ["iam", "service-accounts", "enable", EMAIL] }],
  });
  deleteServiceAccount(state, caller);
  const gone = await failure(fetchIdTokenWithKey(KEY, AUDIENCE, exchange));
  expect(gone.message).toContain("account not found");
  expect(gone.hint).toContain(`${EMAIL} was deleted`);
});

test.for([
  [-7200, "2 h behind"],
  [7200, "2 h ahead of"],
  [120, "2 min ahead of"],
] as const)("a clock that is %i seconds off is CLOCK_SKEW, with the difference", async ([skew, words]) => {
  const { exchange } = await openExchange({ live: true });
  const error = await failure(fetchIdTokenWithKey(KEY, AUDIENCE, { ...exchange, now: () => Date.now() + skew * 1000 }));
  expect(error.code).toBe("CLOCK_SKEW");
  expect(error.message).toMatch(
    new RegExp(`^This computer's clock is ${words} oauth2\\.googleapis\\.com's: Invalid JWT: Token must be a short-lived token`),
  );
  expect(error.details["skew_seconds"]).toBeGreaterThanOrEqual(skew - 3);
  expect(error.details["skew_seconds"]).toBeLessThanOrEqual(skew + 1);
});

test("an empty audience is rejected in Google's words, with a hint", async () => {
  const { exchange } = await openExchange();
  const error = await failure(fetchIdTokenWithKey(KEY, "", exchange));
  expect(error).toMatchObject({ code: "TOKEN_REFUSED", details: { error: "invalid_scope" } });
  expect(error.hint).toContain("Use the service URL as the audience");
});

test("a token endpoint on this machine is used if the key file names it", async () => {
  const { key, exchange } = await serve([[200, '{"id_token":"a.b.c"}']]);
  expect(await fetchIdTokenWithKey(key, AUDIENCE, exchange)).toBe("a.b.c");
});

test.for([
  ["a hiccup", [500, '{"error":"internal_failure"}']],
  ["a hiccup that is called a bad request", [400, '{"error":"internal_failure"}']],
  ["a page", [200, "<html>sign in</html>"]],
  ["a redirect", [302, ""]],
  ["a list", [200, "[]"]],
] as const)("%s is retried once, then UNAVAILABLE", async ([, answer]) => {
  const once = await serve([answer, [200, '{"id_token":"a.b.c"}']]);
  expect(await fetchIdTokenWithKey(once.key, AUDIENCE, once.exchange)).toBe("a.b.c");
  const twice = await serve([answer]);
  expect(await failure(fetchIdTokenWithKey(twice.key, AUDIENCE, twice.exchange))).toMatchObject({
    code: "UNAVAILABLE",
    details: { status_code: answer[0] },
  });
  expect(twice.requests()).toBe(2);
});

test("a response without a token is an error", async () => {
  const { key, exchange } = await serve([[200, '{"access_token":"x"}']]);
  expect(await failure(fetchIdTokenWithKey(key, AUDIENCE, exchange))).toMatchObject({ code: "TOKEN_REFUSED" });
});

test("a token endpoint's message can't control the terminal", async () => {
  const { key, exchange } = await serve([
    [400, JSON.stringify({ error: "invalid\u001b[31m", error_description: `a\r\nb\u009b1m${"x".repeat(1000)}` })],
  ]);
  const { message } = await failure(fetchIdTokenWithKey(key, AUDIENCE, exchange));
  expect(message).toMatch(/^[\x20-\x7e]{1,500}$/);
});

test.for([
  ["https://oauth2.googleapis.com.example.test/token", {}, "oauth2.googleapis.com.example.test"],
  ["https://oauth2.googleapis.com@example.test/token", {}, "example.test"],
  ["https://oauth2.googleapis.com:8443/token", {}, "oauth2.googleapis.com:8443"],
  ["http://oauth2.googleapis.com/token", {}, "oauth2.googleapis.com"],
  ["http://tokens.example.test/token", { CLOUDRUN_OAUTH_ALLOW_TOKEN_URI: "tokens.example.test" }, "tokens.example.test"],
  ["https://tokens.example.test/token", { CLOUDRUN_OAUTH_ALLOW_TOKEN_URI: "other.example.test" }, "tokens.example.test"],
  ["file:///etc/passwd", {}, "no host"],
] as const)("no assertion is sent to the token_uri %s", async ([token_uri, env, host]) => {
  const sent: Request[] = [];
  const send = (request: Request) => {
    sent.push(request);
    throw new Error("sent");
  };
  const error = await failure(fetchIdTokenWithKey(parseServiceAccountKey(keyFields({ token_uri }), "The key"), AUDIENCE, { env, send }));
  expect(error.code).toBe("CREDENTIALS_INVALID");
  expect(error.message).toMatch(/has a token_uri that isn't .*: /);
  expect(error.message).toContain(`: ${host}.`);
  expect(sent).toEqual([]);
});

test.for([
  ["https://www.googleapis.com/oauth2/v4/token", {}],
  ["https://tokens.example.test:8443/token", { CLOUDRUN_OAUTH_ALLOW_TOKEN_URI: "a.test, TOKENS.example.test:8443" }],
  ["http://[::1]:1/token", {}],
] as const)("an assertion is sent to the token_uri %s", async ([token_uri, env]) => {
  const sent: string[] = [];
  const send = ({ url }: Request) => {
    sent.push(url);
    return Promise.reject(new CliError("UNAVAILABLE", "as expected"));
  };
  expect(
    await failure(fetchIdTokenWithKey(parseServiceAccountKey(keyFields({ token_uri }), "The key"), AUDIENCE, { env, send })),
  ).toMatchObject({
    message: "as expected",
  });
  expect(sent).toEqual([token_uri]);
});
