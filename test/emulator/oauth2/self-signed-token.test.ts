import { expect, test } from "vitest";
import { createKey } from "../../../src/emulator/iam/service-accounts.ts";
import { signJwt } from "../../../src/emulator/oauth2/jwt.ts";
import { createKeyPair } from "../../../src/emulator/oauth2/key-pair.ts";
import { readSelfSignedToken } from "../../../src/emulator/oauth2/self-signed-token.ts";
import { openTestState, OWNER } from "../../helpers/api-server.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const HOST = "us-central1-run.googleapis.com";
const CLAIMS = { iss: OWNER, sub: OWNER, aud: "https://run.googleapis.com/", iat: NOW / 1000, exp: NOW / 1000 + 3600 };

async function setUp() {
  const state = openTestState();
  const pair = await createKeyPair();
  const account = state.serviceAccounts.get(OWNER);
  if (!account) throw new Error("The owner is not there");
  const { key } = await createKey(state, account, NOW, pair);
  const read = (claims: object, { now = NOW, signer = pair } = {}) =>
    readSelfSignedToken(state, signJwt(JSON.stringify({ ...CLAIMS, ...claims }), signer), HOST, now);
  return { state, key, pair, read };
}

test("a JWT that an account signed for an API or for scopes works as an access token", async () => {
  const { read } = await setUp();
  expect(read({})).toEqual({ email: OWNER, scopes: ["https://www.googleapis.com/auth/cloud-platform"], expires: CLAIMS.exp });
  expect(read({ aud: undefined, scope: "https://www.googleapis.com/auth/iam openid" })).toMatchObject({
    scopes: ["https://www.googleapis.com/auth/iam", "openid"],
  });
});

test.for<[string, object]>([
  ["of another API", { aud: "https://storage.googleapis.com/" }],
  ["for an audience that only ends alike", { aud: "https://un.googleapis.com/" }],
  ["for nothing", { aud: undefined }],
  ["of another subject", { sub: "other@demo-project.iam.gserviceaccount.com" }],
  ["of an unknown account", { iss: "no@demo-project.iam.gserviceaccount.com", sub: "no@demo-project.iam.gserviceaccount.com" }],
  ["of the future", { iat: CLAIMS.iat + 120 }],
  ["that lives too long", { exp: CLAIMS.iat + 3601 }],
  ["without times", { iat: undefined, exp: undefined }],
])("a JWT %s does not", async ([, claims]) => {
  const { read } = await setUp();
  expect(read(claims)).toBeUndefined();
});

test("a JWT of a disabled, deleted or other account's key doesn't work as an access token", async () => {
  const { state, key, pair, read } = await setUp();
  expect(read({}, { signer: { ...(await createKeyPair()), keyId: pair.keyId } })).toBeUndefined();
  state.keys.set(`${OWNER}/${key.keyId}`, { ...key, disabled: true });
  expect(read({})).toBeUndefined();
  state.keys.delete(`${OWNER}/${key.keyId}`);
  expect(read({})).toBeUndefined();
});
