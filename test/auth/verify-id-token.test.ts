import { sign } from "node:crypto";
import { createServer } from "node:http";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { openGoogleKeys } from "../../src/auth/google-public-keys.ts";
import { verifyIdToken, type TokenFault } from "../../src/auth/verify-id-token.ts";
import { createSend } from "../../src/http/client.ts";
import { failure } from "../helpers/failure.ts";
import { forge, ISSUER_PAIR, NOW, openIdentity, OTHER_PAIR, serveIdentity } from "../helpers/identity.ts";
import { EMAIL } from "../helpers/key-file.ts";
import { listen } from "../helpers/listen.ts";

const AUDIENCE = "https://hello-123456789012.us-central1.run.app";
const CLAIMS = {
  iss: "https://accounts.google.com",
  aud: AUDIENCE,
  azp: EMAIL,
  sub: "100000000000000000001",
  email: EMAIL,
  email_verified: true,
  iat: NOW,
  exp: NOW + 3600,
};

/** A token of the emulator's issuer, with changed claims, header or key. */
function idToken(claims: object = {}, { header = {}, pair = ISSUER_PAIR } = {}): string {
  return forge({ alg: "RS256", kid: ISSUER_PAIR.keyId, typ: "JWT", ...header }, { ...CLAIMS, ...claims }, (signed) =>
    sign("sha256", Buffer.from(signed), pair.privateKey),
  );
}

/** Verifies with the emulator's public keys. */
async function openVerifier({ now = NOW } = {}) {
  const { port } = await serveIdentity(await openIdentity());
  const findKey = openGoogleKeys(createSend({ env: { CLOUDRUN_OAUTH_EMULATOR: `http://127.0.0.1:${port}` } }));
  return (token: string, options: Partial<Parameters<typeof verifyIdToken>[1]> = {}) =>
    verifyIdToken(token, { audience: AUDIENCE, ...options }, { findKey, now: () => now * 1000 });
}

test("a Google ID token yields its claims", async () => {
  const verify = await openVerifier();
  expect(await verify(idToken())).toEqual(CLAIMS);
  expect(await verify(idToken({ iss: "accounts.google.com" }), { audience: ["https://other.run.app", AUDIENCE] })).toMatchObject({
    sub: CLAIMS.sub,
  });
  expect(await verify(idToken({ email: undefined, email_verified: undefined }))).not.toHaveProperty("email");
});

const [head, body, signature] = idToken().split(".") as [string, string, string];

const MESSAGES = {
  MALFORMED: /^Not an ID token|must have the claims/,
  SIGNATURE_REMOVED: /^Cloud Run verified this ID token and removed its signature/,
  WRONG_ALGORITHM: /RS256/,
  UNKNOWN_KEY: /isn't signed with a key that Google uses/,
  WRONG_SIGNATURE: /signature is invalid/,
  WRONG_ISSUER: /is https:\/\/evil\.example\.com, not https:\/\/accounts\.google\.com/,
  WRONG_AUDIENCE: /is for (?:https:\/\/other\.run\.app|missing), not for https:\/\/hello-/,
  EXPIRED: /expired at 2026-11-23T11:59:00\.000Z/,
  NOT_YET_VALID: /isn't valid until 2026-11-23T12:01:01\.000Z/,
  EMAIL_NOT_VERIFIED: /isn't verified/,
} satisfies Record<TokenFault, RegExp>;

test.for([
  ["an access token", "ya29.abc", "MALFORMED"],
  ["a header", `Bearer ${idToken()}`, "MALFORMED"],
  ["an empty string", "", "MALFORMED"],
  ["a token whose claims aren't JSON", `${head}.${"a".repeat(20)}.${signature}`, "MALFORMED"],
  ["a token without exp", idToken({ exp: undefined }), "MALFORMED"],
  ["a token that the front end has verified", `${head}.${body}.SIGNATURE_REMOVED_BY_GOOGLE`, "SIGNATURE_REMOVED"],
  ["a token with alg none", idToken({}, { header: { alg: "none" } }), "WRONG_ALGORITHM"],
  ["a token signed with a shared secret", idToken({}, { header: { alg: "HS256" } }), "WRONG_ALGORITHM"],
  ["a token with an extension", idToken({}, { header: { crit: ["b64"], b64: false } }), "WRONG_ALGORITHM"],
  ["a token of another key", idToken({}, { header: { kid: OTHER_PAIR.keyId }, pair: OTHER_PAIR }), "UNKNOWN_KEY"],
  ["a token without a key ID", idToken({}, { header: { kid: undefined } }), "UNKNOWN_KEY"],
  ["a token that another key signed", idToken({}, { pair: OTHER_PAIR }), "WRONG_SIGNATURE"],
  ["a token with changed claims", `${head}.${forge({}, { ...CLAIMS, sub: "1" }).split(".")[1]}.${signature}`, "WRONG_SIGNATURE"],
  ["a truncated signature", `${head}.${body}.${signature.slice(0, -4)}`, "WRONG_SIGNATURE"],
  ["an empty signature", `${head}.${body}.`, "WRONG_SIGNATURE"],
  ["another issuer", idToken({ iss: "https://evil.example.com" }), "WRONG_ISSUER"],
  ["another audience", idToken({ aud: "https://other.run.app" }), "WRONG_AUDIENCE"],
  ["a list of audiences", idToken({ aud: [AUDIENCE] }), "WRONG_AUDIENCE"],
  ["an expired token", idToken({ iat: NOW - 3700, exp: NOW - 60 }), "EXPIRED"],
  ["a token issued in the future", idToken({ iat: NOW + 61 }), "NOT_YET_VALID"],
  ["a token with nbf in the future", idToken({ nbf: NOW + 61 }), "NOT_YET_VALID"],
  ["an unverified email address", idToken({ email_verified: false }), "EMAIL_NOT_VERIFIED"],
] as const)("%s is rejected", async ([, token, reason]) => {
  const verify = await openVerifier();
  const error = await failure(verify(token));
  expect(error).toMatchObject({ code: "CREDENTIALS_INVALID", details: { reason }, message: expect.stringMatching(MESSAGES[reason]) });
  for (const part of token.split(".").filter((text) => text.length > 8 && text !== "SIGNATURE_REMOVED_BY_GOOGLE"))
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain(part);
});

test("any change to a token, and any other input, is rejected", async () => {
  const verify = await openVerifier();
  const token = idToken();
  // The last letter of the signature has unused bits.
  const changed = fc
    .tuple(fc.nat(token.length - 2), fc.constantFrom(..."ABYZabyz019-_.=!"))
    .map(([at, letter]) => `${token.slice(0, at)}${letter}${token.slice(at + 1)}`)
    .filter((other) => other !== token);
  const segment = fc.oneof(fc.json(), fc.string()).map((text) => Buffer.from(text).toString("base64url"));
  const other = fc.oneof(
    fc.string(),
    fc.tuple(segment, segment, segment).map((segments) => segments.join(".")),
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(changed, other), async (text) => {
      expect(await failure(verify(text))).toMatchObject({ code: "CREDENTIALS_INVALID", details: { reason: expect.any(String) } });
    }),
    { numRuns: 300 },
  );
});

test("clocks can differ by a minute, or by the caller's tolerance", async () => {
  const verify = await openVerifier();
  await verify(idToken({ iat: NOW + 60 }));
  await verify(idToken({ exp: NOW - 59 }));
  await expect(verify(idToken({ exp: NOW - 5 }), { clockTolerance: 5 })).rejects.toMatchObject({ details: { reason: "EXPIRED" } });
  await verify(idToken({ iat: NOW + 200 }), { clockTolerance: 300 });
});

test.for([undefined, "", [], [""]])("the audience %j verifies nothing", async (audience) => {
  const verify = await openVerifier();
  await expect(verify(idToken({ aud: audience }), { audience: audience as string })).rejects.toMatchObject({ code: "USAGE" });
});

/** Serves Google's keys URL with one cacheable key, and counts requests. */
async function serveKeys(answer: () => { status?: number; cacheControl?: string; body: string }) {
  let asked = 0;
  const port = await listen(
    createServer((_, response) => {
      asked += 1;
      const { status = 200, cacheControl, body: text } = answer();
      response.writeHead(status, cacheControl ? { "cache-control": cacheControl } : {}).end(text);
    }),
  );
  const clock = { now: NOW * 1000 };
  const findKey = openGoogleKeys(createSend({ env: { CLOUDRUN_OAUTH_EMULATOR: `http://127.0.0.1:${port}` } }), () => clock.now);
  return { findKey, clock, asked: () => asked };
}

const jwks = (...kids: readonly string[]) =>
  JSON.stringify({ keys: kids.map((kid) => ({ ...ISSUER_PAIR.publicKey.export({ format: "jwk" }), kid })) });

test("keys are fetched once for as long as they can be cached, however many tokens are verified at once", async () => {
  const { findKey, clock, asked } = await serveKeys(() => ({ body: jwks("a"), cacheControl: "public, max-age=600, must-revalidate" }));
  expect((await Promise.all(Array.from({ length: 20 }, () => findKey("a")))).every(Boolean)).toBe(true);
  clock.now += 599_000;
  await findKey("a");
  expect(asked()).toBe(1);
  clock.now += 1000;
  await findKey("a");
  expect(asked()).toBe(2);
});

test("a new key is found before the cache expires, and made-up key IDs cause at most one request in half a minute", async () => {
  let kids = ["a"];
  const { findKey, clock, asked } = await serveKeys(() => ({ body: jwks(...kids) }));
  for (const kid of ["a", "x", "y"]) await findKey(kid);
  expect(asked()).toBe(1);
  kids = ["a", "b"];
  expect(await findKey("b")).toBeUndefined();
  clock.now += 30_000;
  expect(await findKey("b")).toBeDefined();
  for (const kid of ["x", "y", "z"]) expect(await findKey(kid)).toBeUndefined();
  expect(asked()).toBe(2);
});

test.for([
  [503, "down"],
  [200, "<html>"],
  [200, '{"keys": 1}'],
] as const)("keys that can't be fetched (%s %s) are UNAVAILABLE, and are fetched again", async ([status, text]) => {
  let isDown = true;
  const { findKey } = await serveKeys(() => (isDown ? { status, body: text } : { body: jwks("a") }));
  expect(await failure(findKey("a"))).toMatchObject({
    code: "UNAVAILABLE",
    message: `Can't fetch Google's public keys: www.googleapis.com returned ${status}.`,
  });
  isDown = false;
  expect(await findKey("a")).toBeDefined();
});
