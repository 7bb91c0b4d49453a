import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { filesOf } from "../../../src/emulator/environment/environment.ts";
import { createKey } from "../../../src/emulator/iam/service-accounts.ts";
import { callerEmail } from "../../../src/emulator/environment/environment.ts";
import { seedProject } from "../../../src/emulator/state/default-project.ts";
import { reopenState, temporaryDirectory } from "../../helpers/api-server.ts";

const PROJECT = "seeded-project";
const EMAIL = callerEmail(PROJECT);

function open() {
  const state = reopenState(temporaryDirectory());
  const file = filesOf(state.directory, PROJECT).caller;
  return {
    state,
    file,
    seed: () => seedProject({ state, now: Date.now }, PROJECT),
    keyIds: () => state.keys.list(`${EMAIL}/`).map(({ keyId }) => keyId),
  };
}

test("a seeded caller has one key, in a file that only its owner may read, and seeding again changes nothing", async () => {
  const { file, seed, keyIds } = open();
  await seed();
  const text = readFileSync(file, "utf8");
  expect(keyIds()).toEqual([JSON.parse(text).private_key_id]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await seed();
  expect([keyIds(), readFileSync(file, "utf8")]).toEqual([[JSON.parse(text).private_key_id], text]);
});

test("a seeding that a crash cut off between a key and its file leaves no key that nobody has", async () => {
  const { state, file, seed, keyIds } = open();
  const account = { email: EMAIL, projectId: PROJECT, uniqueId: "100000000000000000001" };
  state.serviceAccounts.set(EMAIL, account);
  const lost = await createKey(state, account, Date.now());
  expect(keyIds()).toEqual([lost.key.keyId]);
  await seed();
  expect(keyIds()).toEqual([JSON.parse(readFileSync(file, "utf8")).private_key_id]);
  expect(keyIds()).not.toContain(lost.key.keyId);
});

test("a key file that is there goes on being good, with one key", async () => {
  const first = open();
  await first.seed();
  const text = readFileSync(first.file, "utf8");
  const second = open();
  mkdirSync(dirname(second.file), { recursive: true });
  writeFileSync(second.file, text);
  await second.seed();
  expect(second.keyIds()).toEqual(first.keyIds());
  expect(readFileSync(second.file, "utf8")).toBe(text);
});
