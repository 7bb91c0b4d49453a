import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { mergeEnvironment } from "../../../src/context/merge-environment.ts";
import { fakeGcloud, runCli } from "../../helpers/command-line.ts";
import { startEmulator } from "../../helpers/emulator.ts";
import { openPty } from "../../helpers/pty.ts";
import { testNeeding } from "../../helpers/requirements.ts";
import { findSecrets } from "../../helpers/secret-scan.ts";

const emulator = await startEmulator(afterAll);
const BIN = fileURLToPath(new URL("../../../bin/cloudrun-oauth.js", import.meta.url));
const ACCOUNT = "key-holder@cloudrun-local.iam.gserviceaccount.com";
const IAM = "/v1/projects/cloudrun-local/serviceAccounts";
await emulator.request("POST", "iam.googleapis.com", IAM, { body: { accountId: "key-holder" } });

/** A folder for keys. Other folders are scanned for secrets. */
function keyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function cli(argv: readonly string[], world: Parameters<typeof runCli>[1] = {}) {
  const env = mergeEnvironment({ HOME: "/nowhere", PATH: "" }, emulator.status().environment) as Record<string, string>;
  return runCli(["--via", "api", ...argv], { ...world, env: { ...env, ...world.env } });
}

/** A folder with a new key in key.json: its text and ID, and the IDs of all keys of the account. */
async function folderWithKey() {
  const cwd = keyFolder();
  await cli(["keys", "create", "key.json", "--account", ACCOUNT], { cwd });
  const text = readFileSync(join(cwd, "key.json"), "utf8");
  return { cwd, text, id: JSON.parse(text).private_key_id as string, before: await keyIds() };
}

async function keyIds(): Promise<string[]> {
  const { stdout } = await cli(["keys", "list", "--account", ACCOUNT, "--json"]);
  return (JSON.parse(stdout) as { keys: { key_id: string }[] }).keys.map(({ key_id }) => key_id).toSorted();
}

/** Makes the emulator fail in this way until the test ends. */
async function withFault(fault: object): Promise<void> {
  const headers = { "x-cloudrun-oauth": "emulator" };
  const host = `127.0.0.1:${emulator.port}`;
  expect((await emulator.request("POST", host, "/_emulator/faults", { body: fault, headers })).status).toBe(200);
  onTestFinished(async () => void (await emulator.request("DELETE", host, "/_emulator/faults", { headers })));
}

test("keys create names its file after the account, and keys list finds it", async () => {
  const cwd = keyFolder();
  const { exitCode, stdout } = await cli(["keys", "create", "--account", "key-holder"], { cwd });
  const { private_key_id: id } = JSON.parse(readFileSync(join(cwd, "key-holder.json"), "utf8"));
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `FILE\t${join(cwd, "key-holder.json")}\nKEY\t${id}\nACCOUNT\t${ACCOUNT}\n` });
  const listed = await cli(["keys", "list", "--account", ACCOUNT], { cwd });
  expect(listed.stdout).toMatch(new RegExp(`^${id}\t\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z\tnever\tactive\tuser\tkey-holder\\.json\n`, "m"));
  const elsewhere = await cli(["keys", "list", "--json"], { env: { SERVICE_ACCOUNT_EMAIL: ACCOUNT, CREDS: join(cwd, "key-holder.json") } });
  const { keys } = JSON.parse(elsewhere.stdout) as { keys: { key_id: string; file: string | null }[] };
  expect(keys.find(({ key_id }) => key_id === id)?.file).toBe(join(cwd, "key-holder.json"));
});

test.for([
  ["a file that is there", 5, "already exists", (cwd: string) => writeFileSync(join(cwd, "key.json"), "mine")],
  ["a folder", 2, "is a directory", (cwd: string) => mkdirSync(join(cwd, "key.json"))],
  ["a device", 2, "isn't a regular file", (cwd: string) => symlinkSync("/dev/null", join(cwd, "key.json"))],
] as const)("if %s is in the way, no key is created", async ([, code, message, putInTheWay]) => {
  const cwd = keyFolder();
  putInTheWay(cwd);
  const before = await keyIds();
  const { exitCode, stdout, stderr } = await cli(["keys", "create", "key.json", "--account", ACCOUNT], { cwd });
  expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: "" });
  expect(stderr).toContain(message);
  expect([await keyIds(), readdirSync(cwd)]).toEqual([before, ["key.json"]]);
});

test("no key is created for a folder that does not exist, or printed", async () => {
  const before = await keyIds();
  for (const file of ["nowhere/key.json", "-", "/dev/stdout"]) {
    const { exitCode, stdout } = await cli(["keys", "create", file, "--account", ACCOUNT]);
    expect({ file, exitCode, stdout }).toEqual({ file, exitCode: 2, stdout: "" });
  }
  expect(await keyIds()).toEqual(before);
});

test("--force replaces a file, restricts it to its owner, and names the key that was in it", async () => {
  const { cwd, id: old } = await folderWithKey();
  chmodSync(join(cwd, "key.json"), 0o644);
  const { exitCode, stderr } = await cli(["keys", "create", "key.json", "--account", ACCOUNT, "--force"], { cwd });
  expect([exitCode, statSync(join(cwd, "key.json")).mode & 0o777, readdirSync(cwd)]).toEqual([0, 0o600, ["key.json"]]);
  expect(stderr).toContain(`cloudrun-oauth keys delete ${old} --account ${ACCOUNT}`);
  expect(JSON.parse(readFileSync(join(cwd, "key.json"), "utf8")).private_key_id).not.toBe(old);
});

test("a file in a git work tree causes a warning, which says whether git ignores it", async () => {
  const root = keyFolder();
  const env = { PATH: process.env["PATH"] ?? "", GIT_DIR: "/nowhere" };
  execFileSync("git", ["init", "-q", root]);
  const cwd = join(root, "service");
  mkdirSync(cwd);
  writeFileSync(join(root, ".gitignore"), "ignored*.json\n");
  const open = await cli(["keys", "create", "open.json", "--account", ACCOUNT, "--json"], { cwd, env });
  expect(JSON.parse(open.stdout)).toMatchObject({ git: { work_tree: root, ignored: false } });
  expect(open.stderr).toContain(`and Git doesn't ignore it. Move it, or run: echo '/service/open.json' >> '${root}/.gitignore'`);
  const ignored = await cli(["keys", "create", "ignored.json", "--account", ACCOUNT, "--json"], { cwd, env });
  expect(JSON.parse(ignored.stdout)).toMatchObject({ git: { work_tree: root, ignored: true } });
  expect(ignored.stderr).toContain("Git ignores it, but images and archives");
  const unknown = await cli(["keys", "create", "other.json", "--account", ACCOUNT, "--json"], { cwd, env: { PATH: "" } });
  expect(JSON.parse(unknown.stdout)).toMatchObject({ git: { work_tree: root, ignored: null } });
});

test("a key whose file cannot be written is deleted again", async () => {
  const cwd = keyFolder();
  const before = await keyIds();
  // The response is slow enough for another file to take the place.
  await withFault({ match: "iam.googleapis.com/**/keys", latency_ms: 1500, times: 1 });
  const made = cli(["keys", "create", "key.json", "--account", ACCOUNT], { cwd });
  await expect.poll(() => readdirSync(cwd), { timeout: 20_000 }).toHaveLength(1);
  writeFileSync(join(cwd, "key.json"), "somebody else's");
  expect(await made).toMatchObject({ exitCode: 5, stdout: "" });
  expect([await keyIds(), readdirSync(cwd), readFileSync(join(cwd, "key.json"), "utf8")]).toEqual([
    before,
    ["key.json"],
    "somebody else's",
  ]);
});

test("rotate leaves the file and the old key alone if the new key does not work", async () => {
  const { cwd, text, before } = await folderWithKey();
  await emulator.request("POST", "iam.googleapis.com", `${IAM}/${ACCOUNT}:disable`);
  onTestFinished(async () => void (await emulator.request("POST", "iam.googleapis.com", `${IAM}/${ACCOUNT}:enable`)));
  const { exitCode, stdout } = await cli(["keys", "rotate", "key.json", "--yes"], { cwd });
  expect([exitCode, stdout]).toEqual([3, ""]);
  expect([readFileSync(join(cwd, "key.json"), "utf8"), readdirSync(cwd), await keyIds()]).toEqual([text, ["key.json"], before]);
});

testNeeding("script", "rotate and accounts delete change nothing if they are not confirmed", async ([script = ""]) => {
  const { cwd, text, before } = await folderWithKey();
  const env = { ...(mergeEnvironment({ PATH: "/usr/bin:/bin", HOME: cwd }, emulator.status().environment) as Record<string, string>) };
  for (const [argv, question, answer] of [
    ["keys rotate key.json", "Rotate the key?", "\r"],
    ["keys rotate key.json", "Rotate the key?", "n"],
    ["accounts delete key-holder", "Type its name to confirm", "y\r"],
  ] as const) {
    const pty = openPty(script, `exec '${process.execPath}' '${BIN}' --via api ${argv}`, { env, cwd });
    await pty.waitFor(question);
    pty.type(answer);
    await pty.waitFor("No changes made.");
    expect([await pty.ended, readFileSync(join(cwd, "key.json"), "utf8"), await keyIds()]).toEqual([0, text, before]);
  }
});

test("rotate --keep-old keeps the old key without asking", async () => {
  const { cwd, id: old } = await folderWithKey();
  const { stdout } = await cli(["keys", "rotate", "--keep-old", "--json"], { cwd, env: { CREDS: "key.json" } });
  const { key_id, old_key_id, old_key_deleted } = JSON.parse(stdout) as Record<string, unknown>;
  expect({ old_key_id, old_key_deleted }).toEqual({ old_key_id: old, old_key_deleted: false });
  expect(await keyIds()).toEqual(expect.arrayContaining([old, key_id]));
});

test.for([
  [["keys", "delete", "0123456789abcdef0123456789abcdef01234567", "--account", ACCOUNT]],
  [["keys", "rotate", "key.json"]],
] as const)("%j without a terminal needs --yes, and does nothing without it", async ([argv]) => {
  const { cwd, before } = await folderWithKey();
  const { exitCode, stdout, stderr } = await cli(argv, { cwd });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain("  To confirm, pass --yes.\n");
  expect(await keyIds()).toEqual(before);
});

test.for([
  [["keys", "create"], "No service account specified."],
  [["keys", "delete", "nothing.json", "--yes"], 'Key "nothing.json" not found.'],
  [["keys", "rotate", "key.json", "--account", "another-one", "--yes"], `contains a key for ${ACCOUNT}, not another-one@`],
] as const)("%j is a usage error", async ([argv, message]) => {
  const { cwd } = await folderWithKey();
  const env = { SERVICE_ACCOUNT_EMAIL: "" };
  expect(await cli(argv, { cwd, env })).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(message) });
});

test("each command is a line of gcloud, which --dry-run prints; the key goes through a pipe and appears nowhere", async () => {
  const { cwd, text, id } = await folderWithKey();
  const where = "--project cloudrun-local --quiet";
  const creation = { line: `iam service-accounts keys create - --iam-account ${ACCOUNT} ${where}`, stdout: text };
  const env = { PROJECT_ID: "cloudrun-local" };
  const made = await runCli(["-v", "keys", "create", "new.json", "--account", ACCOUNT], { cwd, env: { ...env, ...fakeGcloud(creation) } });
  expect([made.exitCode, readFileSync(join(cwd, "new.json"), "utf8"), findSecrets(made.stdout + made.stderr)]).toEqual([0, text, []]);

  const plan = async (...argv: readonly string[]) =>
    (await runCli(["keys", ...argv, "--dry-run"], { cwd, env: { ...env, ...fakeGcloud() } })).stdout.trimEnd().split("\n");
  const deletion = `gcloud iam service-accounts keys delete ${id} --iam-account ${ACCOUNT} ${where} --format=json`;
  expect(await plan("list", "--account", ACCOUNT)).toEqual([
    `gcloud iam service-accounts keys list --iam-account ${ACCOUNT} ${where} --format=json`,
  ]);
  expect(await plan("delete", "key.json")).toEqual([deletion]);
  expect(await plan("rotate", "key.json")).toEqual([
    `gcloud ${creation.line}`,
    "POST https://oauth2.googleapis.com/token, until it accepts the new key",
    `write ${join(cwd, "key.json")}, with mode 0600`,
    deletion,
  ]);
});
