import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAccountsApi } from "../../src/emulator/apis/accounts.ts";
import { createIamApi } from "../../src/emulator/apis/iam.ts";
import { createIamCredentialsApi } from "../../src/emulator/apis/iamcredentials.ts";
import { createOAuth2Api } from "../../src/emulator/apis/oauth2.ts";
import { createWwwApi } from "../../src/emulator/apis/www.ts";
import { createServiceAccount } from "../../src/emulator/iam/service-accounts.ts";
import { signJwt } from "../../src/emulator/oauth2/jwt.ts";
import { createKeyCertificate } from "../../src/emulator/oauth2/key-certificate.ts";
import { createKeyPair, type KeyPair } from "../../src/emulator/oauth2/key-pair.ts";
import { openSigningKeys, type SigningKeys } from "../../src/emulator/oauth2/signing-keys.ts";
import type { ServiceAccount } from "../../src/emulator/state/resources.ts";
import type { State } from "../../src/emulator/state/state.ts";
import { openTestState, PROJECT, serveApis, temporaryDirectory, type ApiServer } from "./api-server.ts";

/** Key pairs take long to make: one of each kind serves all tests of a file. */
export const [ISSUER_PAIR, CALLER_PAIR, OTHER_PAIR] = await Promise.all([createKeyPair(), createKeyPair(), createKeyPair()]);

/** The clock of these tests, in seconds: 2026-11-23T12:00:00Z. */
export const NOW = 1_795_435_200;

export interface Identity {
  readonly state: State;
  readonly signingKeys: SigningKeys;
  readonly now: () => number;
  /** An account with the key CALLER_PAIR. */
  readonly caller: ServiceAccount;
}

/** A state with a service account that has a key, at the given second. */
export async function openIdentity({ now = NOW, live = false } = {}): Promise<Identity> {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "keys"), { mode: 0o700 });
  writeFileSync(join(directory, "keys", "issuer.pem"), ISSUER_PAIR.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const clock = live ? Date.now : () => now * 1000;
  const state = openTestState(directory, clock);
  const caller = createServiceAccount(state, { projectId: PROJECT, accountId: "caller" });
  await addKey(state, caller, CALLER_PAIR);
  return { state, signingKeys: openSigningKeys(directory), now: clock, caller };
}

export async function addKey(state: State, { email, uniqueId }: ServiceAccount, pair: KeyPair, changes = {}): Promise<void> {
  const certificate = createKeyCertificate(pair, uniqueId, 0, Date.parse("9999-12-31T23:59:59Z"));
  const key = { keyId: pair.keyId, email, certificate, validAfterTime: "2026-01-01T00:00:00Z", validBeforeTime: "9999-12-31T23:59:59Z" };
  state.keys.set(`${email}/${pair.keyId}`, { ...key, ...changes });
}

/** All of identity's APIs, served. */
export function serveIdentity(identity: Identity): Promise<ApiServer> {
  const apis = [createOAuth2Api, createAccountsApi, createWwwApi, createIamApi, createIamCredentialsApi].map((create) => create(identity));
  return serveApis(apis, identity.state, identity.now);
}

/** An assertion of an hour that asks for an ID token; `changes` replace claims, undefined leaves them out. */
export function assertion(email: string, changes: Record<string, unknown> = {}, { pair = CALLER_PAIR, now = NOW } = {}): string {
  const claims = {
    iss: email,
    aud: "https://oauth2.googleapis.com/token",
    iat: now,
    exp: now + 3600,
    target_audience: "https://a.run.app",
  };
  return signJwt(JSON.stringify({ ...claims, ...changes }), pair);
}

/** A JWT with any header and any signature. */
export function forge(header: object, claims: object, sign: (signed: string) => Buffer = () => Buffer.alloc(0)): string {
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${sign(signed).toString("base64url")}`;
}

/** The parts of a JWT, unverified. */
export function decode(token: string): { header: Record<string, unknown>; claims: Record<string, unknown> } {
  const [header = {}, claims = {}] = token.split(".", 2).map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));
  return { header, claims };
}
