import { expect, test } from "vitest";
import { createKeyPair } from "../../../src/emulator/oauth2/key-pair.ts";
import { PROJECT } from "../../helpers/api-server.ts";
import { addKey, assertion, CALLER_PAIR, openIdentity, serveIdentity } from "../../helpers/identity.ts";

const EMAIL = `caller@${PROJECT}.iam.gserviceaccount.com`;
const ACCOUNT = `/v1/projects/${PROJECT}/serviceAccounts/${EMAIL}`;
const KEY = `${ACCOUNT}/keys/${CALLER_PAIR.keyId}`;

async function open() {
  const identity = await openIdentity({ live: true });
  const server = await serveIdentity(identity);
  const now = Math.floor(Date.now() / 1000);
  const exchange = async (pair = CALLER_PAIR, wants: Record<string, unknown> = {}) => {
    const fields = { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: assertion(EMAIL, wants, { pair, now }) };
    const body = new URLSearchParams(fields).toString();
    return (await server.request("POST", "oauth2.googleapis.com", "/token", { token: "", body })).json;
  };
  const scope = "https://www.googleapis.com/auth/cloud-platform";
  const { access_token: token } = await exchange(CALLER_PAIR, { target_audience: undefined, scope });
  const iam = async (method: string, path: string) =>
    expect((await server.request(method, "iam.googleapis.com", path, method === "POST" ? { body: {} } : {})).status).toBe(200);
  /** What the account's own access token is answered; 403 is as much as it gets with no role. */
  const asItself = async () => (await server.request("GET", "iam.googleapis.com", ACCOUNT, { token })).status;
  return { ...identity, exchange, iam, asItself };
}

const letIn = { id_token: expect.any(String) };
const signature = { error: "invalid_grant", error_description: "Invalid JWT Signature." };
const disabled = { error: "invalid_grant", error_description: "Robot is disabled." };
const gone = { error: "invalid_grant", error_description: "Invalid grant: account not found" };

test("a disabled key gets no tokens until it is enabled again; its earlier tokens stay valid", async () => {
  const { exchange, iam, asItself } = await open();
  await iam("POST", `${KEY}:disable`);
  expect([await exchange(), await asItself()]).toEqual([signature, 403]);
  await iam("POST", `${KEY}:enable`);
  expect(await exchange()).toEqual(letIn);
});

test("after a key rotation, the new key is valid at once, and the deleted one isn't", async () => {
  const { state, caller, exchange, iam } = await open();
  const next = await createKeyPair();
  expect(await exchange(next)).toEqual(signature);
  await addKey(state, caller, next);
  expect([await exchange(), await exchange(next)]).toEqual([letIn, letIn]);
  await iam("DELETE", KEY);
  expect([await exchange(), await exchange(next)]).toEqual([signature, letIn]);
});

test("a disabled account gets no tokens, and its existing ones are refused until it is enabled", async () => {
  const { exchange, iam, asItself } = await open();
  await iam("POST", `${ACCOUNT}:disable`);
  expect([await exchange(), await asItself()]).toEqual([disabled, 401]);
  await iam("POST", `${ACCOUNT}:enable`);
  expect([await exchange(), await asItself()]).toEqual([letIn, 403]);
});

test("a deleted account's keys and tokens are gone, and stay gone when it is recreated under its name", async () => {
  const { state, exchange, iam, asItself, caller } = await open();
  await iam("DELETE", ACCOUNT);
  expect([await exchange(), await asItself()]).toEqual([gone, 401]);
  state.serviceAccounts.set(EMAIL, { ...caller, uniqueId: "100000000000000000002" });
  expect([await exchange(), await asItself()]).toEqual([signature, 401]);
});
