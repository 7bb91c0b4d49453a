import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findDeployer } from "../../../src/commands/doctor/deployer.ts";
import { openSettings } from "../../../src/settings/settings.ts";
import { folder } from "../../helpers/command-line.ts";
import { runCheck, runDoctor, startDoctorEmulator } from "../../helpers/doctor.ts";
import { testNeeding } from "../../helpers/requirements.ts";

const { project, call, check, doctor, run, status, request } = await startDoctorEmulator();
const { environment } = status();
const CALLER_FILE = environment["CREDS"] ?? "";
const OPERATOR_FILE = environment["GOOGLE_APPLICATION_CREDENTIALS"] ?? "";
const CALLER = `caller@${project}.iam.gserviceaccount.com`;
const OPERATOR = `operator@${project}.iam.gserviceaccount.com`;

/** A copy of a key file, by default in a folder of its own, that only its owner can read. */
function copy(file: string, directory = folder()): string {
  const path = join(directory, "key.json");
  copyFileSync(file, path);
  chmodSync(path, 0o600);
  return path;
}

/** Moves the emulator's clock until the test ends, or it is moved back. */
async function moveClock(shift: string): Promise<() => Promise<void>> {
  await run(["emulator", "clock", shift]);
  const back = async () => void (await run(["emulator", "clock", "reset"]));
  onTestFinished(back);
  return back;
}

/** A person's login, as gcloud leaves it. */
async function logIn(email: string): Promise<string> {
  const path = "/_emulator/logins";
  const { json } = await request("POST", "127.0.0.1", path, { headers: { "x-cloudrun-oauth": "emulator" }, body: { email } });
  const { client_id, client_secret, refresh_token } = json;
  return JSON.stringify({ type: "authorized_user", client_id, client_secret, refresh_token });
}

test("credentials are reported with their source, in the documented order", async () => {
  expect(await check("credentials")).toMatchObject({
    status: "ok",
    message: expect.stringContaining(`serviceAccount:${CALLER}, from ${CALLER_FILE} (CREDS)`),
    details: { principal: `serviceAccount:${CALLER}`, file: CALLER_FILE },
  });
  const text = readFileSync(OPERATOR_FILE, "utf8");
  expect(await check("credentials", { env: { CLOUDRUN_OAUTH_CREDENTIALS_JSON: text } })).toMatchObject({
    status: "ok",
    message: expect.stringContaining(`serviceAccount:${OPERATOR}, from CLOUDRUN_OAUTH_CREDENTIALS_JSON`),
    details: { file: null },
  });
});

test("credentials that are missing or not valid fail, and checks that need them are skipped", async () => {
  const none = await runDoctor(["credentials", "token", "deploy-credentials", "key-file", "key-age", "key-in-git", "project"], {
    env: { PROJECT_ID: "my-project", CLOUDRUN_OAUTH_EMULATOR: environment["CLOUDRUN_OAUTH_EMULATOR"] ?? "" },
  });
  for (const name of ["credentials", "deploy-credentials"])
    expect(none.check(name)).toMatchObject({ status: "fail", code: "CREDENTIALS_MISSING", remedy: expect.any(String) });
  expect(none.check("token")).toMatchObject({ status: "skipped", message: 'Skipped: depends on "credentials".' });
  expect(none.check("project")).toMatchObject({ status: "skipped", message: 'Skipped: depends on "deploy-credentials".' });
  for (const name of ["key-file", "key-age", "key-in-git"])
    expect(none.check(name)).toMatchObject({ status: "skipped", message: 'Skipped: depends on "credentials".' });

  const cwd = folder({ "key.json": readFileSync(CALLER_FILE, "utf8").slice(0, 900) });
  const broken = await doctor(["credentials", "token", "deploy-credentials"], { cwd, env: { CREDS: "key.json" } });
  expect(broken.check("credentials")).toMatchObject({
    status: "fail",
    code: "CREDENTIALS_INVALID",
    message: expect.stringContaining("key.json"),
  });
  expect(broken.check("deploy-credentials").status).toBe("ok");
});

test("a token is ok, with its principal and audience", async () => {
  expect(await check("token")).toMatchObject({
    status: "ok",
    message: `Got an ID token for serviceAccount:${CALLER} (audience: https://run.app).`,
  });
  const env = { CLOUD_RUN_SERVICE_URL: "https://next---hello-abc123-uc.a.run.app/path" };
  expect(await check("token", { env })).toMatchObject({ details: { audience: "https://hello-abc123-uc.a.run.app" } });
  const login = await logIn("ada@example.com");
  expect(await check("token", { env: { CREDS: login } })).toMatchObject({
    message: "Got an ID token for user:ada@example.com (audience: gcloud's client ID).",
  });
});

test("a refused token fails with the reason", async () => {
  const path = `/v1/projects/${project}/serviceAccounts/${CALLER}/keys`;
  const { privateKeyData, name } = await call("POST", "iam.googleapis.com", path, {});
  const key = Buffer.from(privateKeyData, "base64").toString("utf8");
  await call("DELETE", "iam.googleapis.com", `/v1/${name}`);
  expect(await check("token", { env: { CREDS: key } })).toMatchObject({
    status: "fail",
    code: "TOKEN_REFUSED",
    details: { reason: "KEY_UNKNOWN" },
  });
  await moveClock("+2h");
  expect(await check("token")).toMatchObject({ status: "fail", code: "CLOCK_SKEW" });
});

test("the deployer is reported, and fails if it gets no access token", async () => {
  expect(await check("deploy-credentials")).toMatchObject({
    status: "ok",
    message: expect.stringContaining(
      `Using the Google Cloud APIs as serviceAccount:${OPERATOR}, from ${OPERATOR_FILE} (GOOGLE_APPLICATION_CREDENTIALS)`,
    ),
    details: { via: "api", principal: `serviceAccount:${OPERATOR}` },
  });
  const env = { GOOGLE_APPLICATION_CREDENTIALS: "/no/such/key.json" };
  expect(await check("deploy-credentials", { env })).toMatchObject({ status: "fail", code: "CREDENTIALS_MISSING" });
});

test("through gcloud, gcloud's active account deploys, or the account that it impersonates", async () => {
  const config = (properties: string) => ({ "configurations/config_default": properties });
  const login = JSON.stringify({
    type: "authorized_user",
    client_id: "1.apps.googleusercontent.com",
    client_secret: "s",
    refresh_token: "r",
  });
  const find = (files: Record<string, string>) => {
    const env = { CLOUDSDK_CONFIG: folder(files), HOME: folder(), NO_GCE_CHECK: "true" };
    const settings = openSettings({ flags: {}, env, cwd: folder() });
    const send = () => Promise.reject(new Error("No request is expected."));
    return findDeployer({ env, settings, send }, "gcloud");
  };
  const signedIn = { ...config("[core]\naccount = me@example.com\n"), "legacy_credentials/me@example.com/adc.json": login };
  expect(await find(signedIn)).toMatchObject({
    principal: "user:me@example.com",
    description: expect.stringContaining("gcloud's account me@example.com"),
  });
  const acting = {
    ...signedIn,
    ...config("[core]\naccount = me@example.com\n[auth]\nimpersonate_service_account = deployer@my-project.iam.gserviceaccount.com\n"),
  };
  expect(await find(acting)).toMatchObject({ principal: "serviceAccount:deployer@my-project.iam.gserviceaccount.com" });
  await expect(find(config("[core]\n"))).rejects.toMatchObject({ code: "CREDENTIALS_MISSING", message: "No account is active in gcloud." });
  await expect(find(config("[core]\naccount = me@example.com\n"))).rejects.toMatchObject({
    code: "CREDENTIALS_MISSING",
    next: [{ program: "gcloud", command: ["auth", "login", "me@example.com"], text: "To sign in again" }],
  });
});

test("a key file that others can read is a warning, and --fix makes it private", async () => {
  const CREDS = copy(CALLER_FILE);
  const env = { CREDS };
  expect(await check("key-file", { env })).toMatchObject({ status: "ok", details: { files: [CREDS, OPERATOR_FILE] } });
  chmodSync(CREDS, 0o644);
  expect(await check("key-file", { env })).toMatchObject({
    status: "warn",
    message: `Other users can read ${CREDS} (mode 644).`,
    remedy: "cloudrun-oauth doctor key-file --fix",
    fixable: true,
  });
  expect(await run(["doctor", "key-file", "--fix", "--dry-run"], { env })).toMatchObject({ exitCode: 0, stdout: `chmod 600 ${CREDS}\n` });
  expect(statSync(CREDS).mode & 0o777).toBe(0o644);
  expect(await doctor(["key-file", "--fix", "--yes"], { env })).toMatchObject({ results: [{ status: "ok" }] });
  expect(statSync(CREDS).mode & 0o777).toBe(0o600);
});

test("without a credential file, the checks of files are skipped", async () => {
  const env = { CREDS: readFileSync(CALLER_FILE, "utf8"), GOOGLE_APPLICATION_CREDENTIALS: "", CLOUDRUN_OAUTH_VIA: "api" };
  const { results } = await doctor(["key-file", "key-age", "key-in-git"], { env });
  expect(new Set(results.map(({ status, message }) => `${status}: ${message}`))).toEqual(
    new Set(["skipped: The credentials don't come from a file."]),
  );
});

test("a key's age comes from IAM, or else from its file", async () => {
  expect(await check("key-age")).toMatchObject({ status: "ok", details: { days: 0, by: "api" } });
  const back = await moveClock("-2400h");
  const { privateKeyData } = await call("POST", "iam.googleapis.com", `/v1/projects/${project}/serviceAccounts/${CALLER}/keys`, {});
  await back();
  const CREDS = join(folder({ "old.json": Buffer.from(privateKeyData, "base64").toString("utf8") }), "old.json");
  expect(await check("key-age", { env: { CREDS } })).toMatchObject({
    status: "warn",
    message: `The key for ${CALLER} is 100 days old. Google recommends rotating keys every 90 days.`,
    remedy: `cloudrun-oauth keys rotate ${CREDS}`,
  });

  const file = copy(CALLER_FILE);
  const then = Date.now() / 1000 - 95 * 86_400;
  utimesSync(file, then, then);
  expect(await check("key-age", { env: { CREDS: file, GOOGLE_APPLICATION_CREDENTIALS: file } })).toMatchObject({
    status: "warn",
    details: { days: 95, by: "file" },
  });
  const login = join(folder({ "login.json": await logIn("ada@example.com") }), "login.json");
  expect(await check("key-age", { env: { CREDS: login, GOOGLE_APPLICATION_CREDENTIALS: login } })).toMatchObject({
    status: "skipped",
    message: "The credentials aren't a service account key.",
  });
});

testNeeding(
  "git",
  "a key file that Git tracks fails, one that it could track is a warning, and one that it ignores is ok",
  async ([git = ""]) => {
    const directory = folder({ ".gitignore": "" });
    const inGit = (...args: readonly string[]) => expect(spawnSync(git, ["-C", directory, ...args]).status).toBe(0);
    inGit("init", "--quiet");
    mkdirSync(join(directory, "keys"));
    const CREDS = copy(CALLER_FILE, join(directory, "keys"));
    const checkGit = (PATH = process.env["PATH"] ?? "") =>
      check("key-in-git", { env: { CREDS, PATH, CLOUDRUN_OAUTH_VIA: "api" }, cwd: directory });
    expect(await checkGit()).toMatchObject({
      status: "warn",
      details: { git: "exposed" },
      remedy: `Add key.json to ${directory}/keys/.gitignore.`,
    });
    expect(await checkGit("")).toMatchObject({ status: "warn", details: { git: "unknown" } });
    writeFileSync(join(directory, ".gitignore"), "keys/\n");
    expect(await checkGit()).toMatchObject({ status: "ok" });
    inGit("add", "--force", "keys/key.json");
    expect(await checkGit()).toMatchObject({
      status: "fail",
      code: "CREDENTIALS_INVALID",
      remedy: `git -C ${directory}/keys rm --cached key.json\ncloudrun-oauth keys rotate ${CREDS}`,
    });
  },
);

test("a key file outside a work tree is ok", async () => {
  expect(await check("key-in-git", { env: { CREDS: copy(CALLER_FILE) } })).toMatchObject({ status: "ok" });
  expect(await runCheck("key-in-git", { env: { CREDS: copy(CALLER_FILE), CLOUDRUN_OAUTH_VIA: "api" } })).toMatchObject({ status: "ok" });
});
