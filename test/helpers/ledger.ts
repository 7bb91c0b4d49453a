import { createPrivateKey, sign } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Json } from "./api-server.ts";
import type { Answer, Asked, KillableEmulator } from "./killable-emulator.ts";

/** Milliseconds for a build or a deployment to end. */
const LIMIT = 20_000;
const TOKENS = "https://oauth2.googleapis.com/token";

/** What an emulator has answered to its operator, and has to go on to be so however often it is killed. */
export interface Ledger {
  ask(method: string, url: string, asked?: Asked): Promise<Answer>;
  /** The JSON of a 200; anything else fails the test. */
  get(url: string): Promise<Json>;
  send(method: string, url: string, body: Asked["body"], headers?: Asked["headers"]): Promise<Json>;
  /** From now on, `url` answers this document. */
  remember(url: string, document: unknown): void;
  /** From now on, there is nothing at `url`. */
  rememberGone(url: string): void;
  /** From now on, this passes; in place of what was known of `about`. A check may find out how a change that was not answered went, and remember that. */
  promise(about: string, check: () => Promise<unknown>): void;
  forget(about: string): void;
  /** Fails where anything is not as it was answered. */
  verify(): Promise<void>;
}

/** Opens a ledger with one access token, which has to outlive each kill too. `operator` is the operator's key file. */
export async function openLedger(emulator: KillableEmulator, operator: Json): Promise<Ledger> {
  const promises = new Map<string, () => Promise<unknown>>();
  const { access_token: token } = await mint(emulator, operator, { scope: "https://www.googleapis.com/auth/cloud-platform" });
  const ask: Ledger["ask"] = (method, url, { headers, body } = {}) =>
    emulator.ask(method, url, { body, headers: { authorization: `Bearer ${token}`, ...headers } });
  const get = (url: string): Promise<Json> => answered(ask("GET", url));
  return {
    ask,
    get,
    send: (method, url, body, headers) => answered(ask(method, url, { body, headers })),
    remember: (url, document) => promises.set(url, async () => expect({ url, document: await get(url) }).toEqual({ url, document })),
    rememberGone: (url) => promises.set(url, async () => expect([url, (await ask("GET", url)).status]).toEqual([url, 404])),
    promise: (about, check) => promises.set(about, check),
    forget: (about) => promises.delete(about),
    verify: async () => void (await Promise.all([...promises.values()].map((check) => check()))),
  };
}

/** Asks until it is so, or the time is over; gives the last answer. */
export async function until(ask: () => Promise<Json>, isSo: (answer: Json) => boolean): Promise<Json> {
  for (const end = Date.now() + LIMIT; ; await sleep(10)) {
    const answer = await ask();
    if (isSo(answer)) return answer;
    if (Date.now() > end) throw new Error(`Not so after ${LIMIT} ms: ${JSON.stringify(answer)}`);
  }
}

/** The token endpoint's answer to an assertion that a key file has signed: RFC 7523. */
export async function mint(emulator: KillableEmulator, key: Json, claims: object): Promise<Json> {
  const now = Math.floor(Date.now() / 1000);
  const head = { alg: "RS256", typ: "JWT", kid: key.private_key_id };
  const payload = { iss: key.client_email, sub: key.client_email, aud: TOKENS, iat: now, exp: now + 3600, ...claims };
  const text = [head, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const assertion = `${text}.${sign("sha256", Buffer.from(text), createPrivateKey(key.private_key)).toString("base64url")}`;
  const body = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion }).toString();
  return answered(emulator.ask("POST", TOKENS, { body, headers: { "content-type": "application/x-www-form-urlencoded" } }));
}

async function answered(answer: Promise<Answer>): Promise<Json> {
  const { status, bytes, json } = await answer;
  expect({ status, text: bytes.toString() }).toMatchObject({ status: 200 });
  return json;
}
