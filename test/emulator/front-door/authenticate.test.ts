import { createHmac, createSign } from "node:crypto";
import { expect, test } from "vitest";
import { authenticate } from "../../../src/emulator/front-door/authenticate.ts";
import { signJwt } from "../../../src/emulator/oauth2/jwt.ts";
import { TOKEN } from "../../helpers/api-server.ts";
import { CALLER_PAIR, forge, ISSUER_PAIR, NOW, openIdentity, type Identity } from "../../helpers/identity.ts";

const URL = "https://hello-abc123-uc.a.run.app";
const AUDIENCES = [URL, "my-audience"];
const publicPem = ISSUER_PAIR.publicKey.export({ type: "spki", format: "pem" });
const signByIssuer = (signed: string): Buffer => createSign("sha256").update(signed).sign(ISSUER_PAIR.privateKey);

function claimsOf({ caller }: Identity, changes: Record<string, unknown> = {}): object {
  const { email, uniqueId } = caller;
  const claims = {
    aud: URL,
    azp: email,
    email,
    email_verified: true,
    exp: NOW + 3600,
    iat: NOW,
    iss: "https://accounts.google.com",
    sub: uniqueId,
  };
  return { ...claims, ...changes };
}

function token(identity: Identity, changes: Record<string, unknown> = {}): string {
  return signJwt(JSON.stringify(claimsOf(identity, changes)), ISSUER_PAIR);
}

function check(identity: Identity, rawHeaders: readonly string[]) {
  return authenticate(rawHeaders, { ...identity, audiences: AUDIENCES });
}

test("a valid ID token identifies the caller, and reaches the service without its signature", async () => {
  const identity = await openIdentity();
  const jwt = token(identity);
  const [header, payload] = jwt.split(".");
  const credential = await check(identity, ["Host", "x", "Authorization", `bearer ${jwt}`, "Accept", "*/*"]);
  expect(credential).toMatchObject({
    kind: "principal",
    member: `serviceAccount:${identity.caller.email}`,
    email: identity.caller.email,
    claims: { aud: URL },
    header: "authorization",
    redactedHeaders: ["Host", "x", "Authorization", `bearer ${header}.${payload}.SIGNATURE_REMOVED_BY_GOOGLE`, "Accept", "*/*"],
  });
});

test("X-Serverless-Authorization is checked instead of Authorization, which stays unchanged", async () => {
  const identity = await openIdentity();
  const jwt = token(identity);
  const good = await check(identity, ["Authorization", "Basic abc", "X-Serverless-Authorization", `Bearer ${jwt}`]);
  expect(good).toMatchObject({ kind: "principal", header: "x-serverless-authorization" });
  expect(good.kind === "principal" && good.redactedHeaders.slice(0, 2)).toEqual(["Authorization", "Basic abc"]);
  expect(await check(identity, ["Authorization", `Bearer ${jwt}`, "X-Serverless-Authorization", "Bearer x"])).toMatchObject({
    kind: "invalid",
  });
});

test("a call without either header has no credential", async () => {
  expect(await check(await openIdentity(), ["Host", "x", "Cookie", "Authorization"])).toEqual({ kind: "none" });
});

test.for(["my-audience", `${URL}/`])("the audience %s is accepted too", async (aud) => {
  const identity = await openIdentity();
  expect(await check(identity, ["Authorization", `Bearer ${token(identity, { aud })}`])).toMatchObject({ kind: "principal" });
});

test.for([
  ["gcloud's own client", "32555940559.apps.googleusercontent.com"],
  ["gcloud's client for Application Default Credentials", "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com"],
])("every service takes a token for %s", async ([, aud]) => {
  const identity = await openIdentity();
  expect(await check(identity, ["Authorization", `Bearer ${token(identity, { aud })}`])).toMatchObject({
    kind: "principal",
    claims: { aud },
  });
});

test("a token of the IAM Credentials API can lack the email address", async () => {
  const identity = await openIdentity();
  const jwt = token(identity, { email: undefined, email_verified: undefined });
  expect(await check(identity, ["Authorization", `Bearer ${jwt}`])).toMatchObject({ kind: "principal", email: identity.caller.email });
});

const header = { alg: "RS256", kid: ISSUER_PAIR.keyId, typ: "JWT" };
const forgeries: readonly (readonly [string, (identity: Identity) => string[]])[] = [
  ["signed by another key", (identity) => [signJwt(JSON.stringify(claimsOf(identity)), CALLER_PAIR)]],
  [
    "signed by another key under the issuer's key ID",
    (identity) => [signJwt(JSON.stringify(claimsOf(identity)), { ...CALLER_PAIR, keyId: ISSUER_PAIR.keyId })],
  ],
  ["unsigned, with alg none", (identity) => [forge({ ...header, alg: "none" }, claimsOf(identity))]],
  ["correctly signed, with alg none", (identity) => [forge({ ...header, alg: "none" }, claimsOf(identity), signByIssuer)]],
  [
    "HS256 with the public key",
    (identity) => [
      forge({ ...header, alg: "HS256" }, claimsOf(identity), (signed) => createHmac("sha256", publicPem).update(signed).digest()),
    ],
  ],
  ["without kid", (identity) => [forge({ alg: "RS256" }, claimsOf(identity), signByIssuer)]],
  ["expired", (identity) => [token(identity, { iat: NOW - 3600, exp: NOW })]],
  ["without exp", (identity) => [token(identity, { exp: undefined })]],
  ["for another audience", (identity) => [token(identity, { aud: "https://other-abc123-uc.a.run.app" })]],
  ["for an audience with a path", (identity) => [token(identity, { aud: `${URL}/x` })]],
  ["for another Google client", (identity) => [token(identity, { aud: "32555940558.apps.googleusercontent.com" })]],
  ["for a gcloud client with a slash", (identity) => [token(identity, { aud: "32555940559.apps.googleusercontent.com/" })]],
  ["for a custom audience with a slash", (identity) => [token(identity, { aud: "my-audience/" })]],
  ["for a list of audiences", (identity) => [token(identity, { aud: [URL] })]],
  ["of another issuer", (identity) => [token(identity, { iss: "https://example.com" })]],
  ["with an unverified email address", (identity) => [token(identity, { email_verified: "true" })]],
  ["of an unknown account", (identity) => [token(identity, { email: "x@y.iam.gserviceaccount.com" })]],
  ["of a recreated account", (identity) => [token(identity, { sub: "1" })]],
  ["an access token", () => [TOKEN]],
  ["empty", () => [""]],
  ["1 MB long", () => ["a".repeat(1_000_000)]],
  ["1 MB of dots", () => [".".repeat(1_000_000)]],
];

test.for(forgeries)("a token %s is invalid", async ([, make]) => {
  const identity = await openIdentity();
  const [jwt] = make(identity);
  expect(await check(identity, ["Authorization", `Bearer ${jwt}`])).toMatchObject({ kind: "invalid" });
});

test("two headers, two tokens in one, and another scheme are invalid", async () => {
  const identity = await openIdentity();
  const jwt = token(identity);
  for (const rawHeaders of [
    ["Authorization", `Bearer ${jwt}`, "authorization", `Bearer ${jwt}`],
    ["Authorization", `Bearer ${jwt}, Bearer ${jwt}`],
    ["Authorization", `Bearer ${jwt},${jwt}`],
    ["Authorization", `Bearer ${jwt} ${jwt}`],
    ["Authorization", `Basic ${jwt}`],
    ["Authorization", jwt],
    ["Authorization", ""],
  ]) {
    expect(await check(identity, rawHeaders)).toMatchObject({ kind: "invalid" });
  }
});

test("a token that was verified before still expires with the emulator's clock, and with the issuer's key", async () => {
  const identity = await openIdentity();
  const headers = ["Authorization", `Bearer ${token(identity)}`];
  const at = async (seconds: number, signingKeys = identity.signingKeys) =>
    (await authenticate(headers, { ...identity, signingKeys, now: () => seconds * 1000, audiences: AUDIENCES })).kind;
  expect([await at(NOW), await at(NOW), await at(NOW + 3600), await at(NOW)]).toEqual(["principal", "principal", "invalid", "principal"]);
  const others = { ...identity.signingKeys, issuerKey: async () => CALLER_PAIR };
  expect([await at(NOW, others), await at(NOW)]).toEqual(["invalid", "principal"]);
});
