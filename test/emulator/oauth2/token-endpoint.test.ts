import { createHmac, createSign } from "node:crypto";
import { expect, test } from "vitest";
import type { ApiServer } from "../../helpers/api-server.ts";
import {
  addKey,
  assertion,
  CALLER_PAIR,
  decode,
  forge,
  ISSUER_PAIR,
  NOW,
  openIdentity,
  OTHER_PAIR,
  serveIdentity,
} from "../../helpers/identity.ts";

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const EMAIL = "caller@demo-project.iam.gserviceaccount.com";
const HEADER = { alg: "RS256", typ: "JWT", kid: CALLER_PAIR.keyId };
const CLAIMS = { iss: EMAIL, aud: "https://oauth2.googleapis.com/token", iat: NOW, exp: NOW + 3600, target_audience: "https://a.run.app" };
const UNREASONABLE = refusal(
  "invalid_grant",
  "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
);
const signByCaller = (signed: string): Buffer => createSign("sha256").update(signed).sign(CALLER_PAIR.privateKey);
const publicPem = CALLER_PAIR.publicKey.export({ type: "spki", format: "pem" });

async function exchange(server: ApiServer, jwt: string, host = "oauth2.googleapis.com", path = "/token") {
  const body = new URLSearchParams({ grant_type: GRANT_TYPE, assertion: jwt }).toString();
  const { status, json } = await server.request("POST", host, path, { token: "", body });
  return { status, json };
}

function refusal(error: string, error_description: string, status = 400) {
  return { status, json: { error, error_description } };
}

test.for([
  ["oauth2.googleapis.com", "/token"],
  ["www.googleapis.com", "/oauth2/v4/token"],
  ["accounts.google.com", "/o/oauth2/token"],
] as const)("%s%s gives an ID token for an assertion with target_audience, and nothing else", async ([host, path]) => {
  const identity = await openIdentity();
  const server = await serveIdentity(identity);
  const { status, json } = await exchange(server, assertion(EMAIL, { aud: `https://${host}${path}` }), host, path);
  expect([status, Object.keys(json)]).toEqual([200, ["id_token"]]);
  expect(decode(json["id_token"])).toEqual({
    header: { alg: "RS256", kid: ISSUER_PAIR.keyId, typ: "JWT" },
    claims: {
      aud: "https://a.run.app",
      azp: EMAIL,
      email: EMAIL,
      email_verified: true,
      exp: NOW + 3600,
      iat: NOW,
      iss: "https://accounts.google.com",
      sub: identity.caller.uniqueId,
    },
  });
});

test("an assertion with a scope gives an access token, stored as a hash only", async () => {
  const identity = await openIdentity();
  const server = await serveIdentity(identity);
  const scope = "openid https://www.googleapis.com/auth/cloud-platform";
  const { status, json } = await exchange(server, assertion(EMAIL, { target_audience: undefined, scope }));
  expect({ status, json }).toEqual({
    status: 200,
    json: { access_token: expect.stringMatching(/^ya29\.[\w.-]{43,}$/), expires_in: 3599, token_type: "Bearer" },
  });
  expect(JSON.stringify(identity.state.accessTokens.keys())).not.toContain(json["access_token"]);

  const used = await server.request("GET", "iam.googleapis.com", "/v1/roles", { token: json["access_token"] });
  expect(used.status).toBe(200);
  const info = await server.request("GET", "oauth2.googleapis.com", `/tokeninfo?access_token=${json["access_token"]}`, { token: "" });
  expect(info.json).toMatchObject({ scope, expires_in: "3599", azp: identity.caller.uniqueId });
  expect((await server.request("POST", "oauth2.googleapis.com", `/revoke?token=${json["access_token"]}`, { token: "" })).status).toBe(200);
  expect((await server.request("GET", "iam.googleapis.com", "/v1/roles", { token: json["access_token"] })).status).toBe(401);
});

test("an unknown scope gives an ID token for that audience", async () => {
  const server = await serveIdentity(await openIdentity());
  const { json } = await exchange(server, assertion(EMAIL, { target_audience: undefined, scope: "https://a.run.app" }));
  expect(decode(json["id_token"]).claims["aud"]).toBe("https://a.run.app");
});

const BAD_REQUEST = refusal("invalid_request", "Bad Request");
const BAD_SIGNATURE = refusal("invalid_grant", "Invalid JWT Signature.");
const NO_ACCOUNT = refusal("invalid_grant", "Invalid grant: account not found");

// In Google's order: an earlier problem is reported before a later one.
test.for([
  ["an empty assertion", "", BAD_REQUEST],
  ["two segments", "a.b", BAD_REQUEST],
  ["characters outside of base64url", assertion(EMAIL).replace(".", ".*"), BAD_REQUEST],
  ["segments that aren't JSON", "aaaa.bbbb.cccc", BAD_REQUEST],
  ["claims that are a list", forge(HEADER, [CLAIMS], signByCaller), BAD_REQUEST],
  ["alg none", forge({ ...HEADER, alg: "none" }, CLAIMS), BAD_SIGNATURE],
  ["no alg", forge({ kid: HEADER.kid }, CLAIMS, signByCaller), BAD_SIGNATURE],
  [
    "HS256 with the public key",
    forge({ ...HEADER, alg: "HS256" }, CLAIMS, (signed) => createHmac("sha256", publicPem).update(signed).digest()),
    BAD_SIGNATURE,
  ],
  ["an unknown kid", forge({ ...HEADER, kid: "0".repeat(40) }, CLAIMS, signByCaller), BAD_SIGNATURE],
  ["a kid that is a list", forge({ ...HEADER, kid: [HEADER.kid] }, CLAIMS, signByCaller), BAD_SIGNATURE],
  ["another's key", assertion(EMAIL, { exp: 0 }, { pair: OTHER_PAIR }), BAD_SIGNATURE],
  ["no iss", assertion(EMAIL, { iss: undefined }), NO_ACCOUNT],
  ["an unknown iss", assertion("nobody@demo-project.iam.gserviceaccount.com"), NO_ACCOUNT],
  ["an iss that is an object", assertion(EMAIL, { iss: { [EMAIL]: EMAIL } }), NO_ACCOUNT],
  ["no iat", assertion(EMAIL, { iat: undefined, exp: undefined }), refusal("invalid_grant", "Invalid JWT: iat (issued at) is not set.")],
  ["no exp", assertion(EMAIL, { exp: undefined }), refusal("invalid_grant", "Invalid JWT: exp (expiration time) is not set.")],
  ["an exp that is a list", assertion(EMAIL, { exp: [NOW] }), refusal("invalid_grant", "Invalid JWT: exp (expiration time) is not set.")],
  ["expired", assertion(EMAIL, { iat: NOW - 3600, exp: NOW }), UNREASONABLE],
  ["more than an hour", assertion(EMAIL, { exp: NOW + 3601, aud: "" }), UNREASONABLE],
  ["from the future", assertion(EMAIL, { iat: NOW + 300, exp: NOW + 900 }), UNREASONABLE],
  [
    "neither scope nor audience",
    assertion(EMAIL, { target_audience: "", aud: "" }),
    refusal("invalid_scope", "Invalid OAuth scope or ID token audience provided."),
  ],
  ["another aud", assertion(EMAIL, { aud: "https://example.com" }), refusal("invalid_grant", "Invalid JWT: Failed audience check.")],
  ["no aud", assertion(EMAIL, { aud: undefined }), refusal("invalid_grant", "Invalid JWT: Failed audience check.")],
  [
    "another sub",
    assertion(EMAIL, { sub: "somebody@example.com" }),
    refusal(
      "unauthorized_client",
      "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
      401,
    ),
  ],
] as const)("refuses in Google's words: %s", async ([, jwt, expected]) => {
  const server = await serveIdentity(await openIdentity());
  expect(await exchange(server, jwt)).toEqual(expected);
});

test.for([
  ["times as strings of digits", assertion(EMAIL, { iat: String(NOW), exp: String(NOW + 600) })],
  ["a sub that is the iss", assertion(EMAIL, { sub: EMAIL })],
  ["a clock that is a little ahead", assertion(EMAIL, { iat: NOW + 10, exp: NOW + 3610 })],
  ["no kid", forge({ alg: "RS256" }, CLAIMS, signByCaller)],
] as const)("accepts %s", async ([, jwt]) => {
  const server = await serveIdentity(await openIdentity());
  expect((await exchange(server, jwt)).status).toBe(200);
});

test("an assertion can be padded, as old versions of google-auth for Python do: the padding is signed too", async () => {
  const server = await serveIdentity(await openIdentity());
  const [header, claims] = [HEADER, { ...CLAIMS, jti: "12" }].map((part) => pad(Buffer.from(JSON.stringify(part)).toString("base64url")));
  const signed = `${header}.${claims}`;
  expect(signed).toContain("=");
  expect((await exchange(server, `${signed}.${pad(signByCaller(signed).toString("base64url"))}`)).status).toBe(200);
  expect((await exchange(server, `${signed}=.${signByCaller(signed).toString("base64url")}`)).status).toBe(400);
});

function pad(segment: string): string {
  return segment.padEnd(Math.ceil(segment.length / 4) * 4, "=");
}

test("an expired key is refused", async () => {
  const identity = await openIdentity();
  const server = await serveIdentity(identity);
  await addKey(identity.state, identity.caller, CALLER_PAIR, { validBeforeTime: "2026-11-23T11:59:59Z" });
  expect(await exchange(server, assertion(EMAIL))).toEqual(BAD_SIGNATURE);
});

test.for([
  ["", "Invalid grant_type: "],
  ["grant_type=password", "Invalid grant_type: password"],
  ["grant_type=__proto__", "Invalid grant_type: __proto__"],
  ["grant_type=password", "Invalid grant_type: password"],
] as const)("refuses the form '%s'", async ([body, description]) => {
  const server = await serveIdentity(await openIdentity());
  const { status, json } = await server.request("POST", "oauth2.googleapis.com", "/token", { token: "", body });
  expect({ status, json }).toEqual(refusal("unsupported_grant_type", description));
});

test.for([
  ["one long segment", "a".repeat(1_000_000)],
  ["a million dots", ".".repeat(1_000_000)],
  ["a deep list", `${Buffer.from("[".repeat(500_000)).toString("base64url")}.e30.e30`],
] as const)("answers a malformed JWT of 1 MB at once: %s", async ([, jwt]) => {
  const server = await serveIdentity(await openIdentity());
  const begun = performance.now();
  expect(await exchange(server, jwt)).toEqual(refusal("invalid_request", "Bad Request"));
  expect(performance.now() - begun).toBeLessThan(2000);
});
