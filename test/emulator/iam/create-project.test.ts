import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { callerEmail, emulatorFiles } from "../../../src/emulator/environment/files.ts";
import { createCallerKey, createProject } from "../../../src/emulator/iam/create-project.ts";
import { createKey } from "../../../src/emulator/iam/service-accounts.ts";
import { reopenState, temporaryDirectory } from "../../helpers/api-server.ts";

const PROJECT = "seeded-project";
const EMAIL = callerEmail(PROJECT);

function open() {
  const state = reopenState(temporaryDirectory());
  const runtime = { state, now: Date.now };
  const file = emulatorFiles(state.directory, PROJECT).caller;
  return {
    state,
    file,
    createProject: () => createProject(runtime, PROJECT),
    createCallerKey: () => createCallerKey(runtime, PROJECT),
    keyIds: () => state.keys.list(`${EMAIL}/`).map(({ keyId }) => keyId),
  };
}

test("a new project's caller has no key until one is needed", async () => {
  const project = open();
  await project.createProject();
  expect([project.keyIds(), existsSync(project.file)]).toEqual([[], false]);
});

test("the caller has one key, in a file that only its owner can read, and creating it again changes nothing", async () => {
  const { file, keyIds, ...project } = open();
  await project.createProject();
  await project.createCallerKey();
  const text = readFileSync(file, "utf8");
  expect(keyIds()).toEqual([JSON.parse(text).private_key_id]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await project.createProject();
  await project.createCallerKey();
  expect([keyIds(), readFileSync(file, "utf8")]).toEqual([[JSON.parse(text).private_key_id], text]);
});

test("a creation that a crash interrupted between a key and its file leaves no key that no one has", async () => {
  const { state, file, keyIds, ...project } = open();
  const account = { email: EMAIL, projectId: PROJECT, uniqueId: "100000000000000000001" };
  state.serviceAccounts.set(EMAIL, account);
  const lost = await createKey(state, account, Date.now());
  expect(keyIds()).toEqual([lost.key.keyId]);
  await project.createProject();
  await project.createCallerKey();
  expect(keyIds()).toEqual([JSON.parse(readFileSync(file, "utf8")).private_key_id]);
  expect(keyIds()).not.toContain(lost.key.keyId);
});

test("an existing key file stays valid, with one key", async () => {
  const first = open();
  await first.createProject();
  await first.createCallerKey();
  const text = readFileSync(first.file, "utf8");
  const second = open();
  mkdirSync(dirname(second.file), { recursive: true });
  writeFileSync(second.file, text);
  await second.createProject();
  await second.createCallerKey();
  expect(second.keyIds()).toEqual(first.keyIds());
  expect(readFileSync(second.file, "utf8")).toBe(text);
});
