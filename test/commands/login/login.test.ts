import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { mergeEnvironment } from "../../../src/context/merge-environment.ts";
import { newUser } from "../../helpers/bin.ts";
import { folder, runCli } from "../../helpers/command-line.ts";
import { startEmulator } from "../../helpers/emulator.ts";

const emulator = await startEmulator(afterAll);
const { request, project } = emulator;
const ME = "me@example.com";
const CLIENT = {
  installed: { client_id: "mine.apps.googleusercontent.com", client_secret: "not-confidential", redirect_uris: ["http://localhost"] },
};

/** A user of the emulator without credentials, whose gcloud directory doesn't exist. */
function workplace() {
  const gcloud = join(folder(), "gcloud");
  const {
    CREDS: _,
    GOOGLE_APPLICATION_CREDENTIALS: __,
    ...env
  } = mergeEnvironment({}, emulator.status().environment) as Record<string, string>;
  const file = join(gcloud, "application_default_credentials.json");
  const settings = {
    env: { ...env, CLOUDSDK_CONFIG: gcloud, CLOUDRUN_OAUTH_VIA: "api" } as Record<string, string>,
    cwd: folder({ "client.json": JSON.stringify(CLIENT) }),
  };
  const read = () => JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  return { gcloud, file, read, settings, run: (...argv: readonly string[]) => runCli(argv, settings) };
}

test("login writes private Application Default Credentials that whoami and the control plane use, and logout revokes them", async () => {
  const { file, read, run } = workplace();
  expect(await run("whoami")).toMatchObject({ exitCode: 3, stdout: "" });
  const signedIn = await run("login", "--account", ME);
  expect(signedIn).toMatchObject({ exitCode: 0, stdout: "", stderr: expect.stringContaining(`Signed in as ${ME}\n`) });
  expect(signedIn.stderr).toMatch(/Next steps:\n.*--impersonate-service-account/s);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { refresh_token: refreshToken, ...rest } = read();
  expect(rest).toEqual({
    type: "authorized_user",
    account: ME,
    client_id: "cloudrun-oauth-emulator.apps.googleusercontent.com",
    client_secret: expect.any(String),
    universe_domain: "googleapis.com",
  });

  const { stdout } = await run("whoami", "--json");
  expect(JSON.parse(stdout)).toMatchObject({ principal: `user:${ME}`, file, source: null, project });
  expect((await run("whoami")).stdout).toMatch(
    new RegExp(`^PRINCIPAL\tuser:${ME}\nCREDENTIALS\t.*\nFILE\t${file}\nPROJECT\t${project}\n$`),
  );
  const denied = await run("list");
  expect([denied.exitCode, denied.stderr]).toEqual([5, expect.stringContaining("[PERMISSION_DENIED]")]);
  await grantRole("roles/run.viewer");
  expect(await run("list")).toMatchObject({ exitCode: 0 });

  expect(await run("logout", "--yes")).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/Signed out\n$/) });
  expect(existsSync(file)).toBe(false);
  writeFileSync(file, JSON.stringify({ ...rest, refresh_token: refreshToken }));
  expect((await run("list")).exitCode).toBe(3);
  expect((await run("logout", "--yes")).stderr).toContain("already revoked");
  expect(await run("logout", "--yes")).toMatchObject({ exitCode: 4 });
});

async function grantRole(role: string): Promise<void> {
  const policies = async (method: string, body: object) =>
    (await request("POST", "cloudresourcemanager.googleapis.com", `/v1/projects/${project}:${method}`, { body })).json;
  const policy = await policies("getIamPolicy", {});
  await policies("setIamPolicy", { policy: { ...policy, bindings: [...policy["bindings"], { role, members: [`user:${ME}`] }] } });
}

test("existing credentials are replaced only with --yes", async () => {
  const { gcloud, file, run } = workplace();
  mkdirSync(gcloud, { recursive: true });
  writeFileSync(file, "{}");
  expect(await run("login", "--account", ME)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--yes") });
  expect(readFileSync(file, "utf8")).toBe("{}");
  expect((await run("login", "--account", ME, "--yes")).exitCode).toBe(0);
  expect(readFileSync(file, "utf8")).toContain(ME);
});

test("a denied sign-in exits with 3 and writes nothing", async () => {
  const { file, run } = workplace();
  const { exitCode, stderr } = await run("login", "--account", "no-address");
  expect([exitCode, stderr, existsSync(file)]).toEqual([3, expect.stringContaining("Sign-in was denied. [TOKEN_REFUSED]"), false]);
});

test.for([
  ["no client", [], "No OAuth client specified."],
  ["a client file that doesn't exist", ["--client-id-file", "missing.json"], "Can't read missing.json: ENOENT."],
  ["another file", ["--client-id-file", "other.json"], "other.json isn't the JSON file for a Desktop app client."],
  ["no terminal", ["--client-id-file", "client.json"], "Can't open a browser in a non-interactive session."],
] as const)("outside the emulator, %s is a usage error", async ([, flags, sentence]) => {
  const cwd = folder({ "client.json": JSON.stringify(CLIENT), "other.json": '{"web": {}}' });
  expect(await runCli(["login", ...flags], { cwd })).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(sentence) });
});

test("with --no-browser, the URL is printed, and the login ends when the browser is sent back", async () => {
  const { settings, read, gcloud } = workplace();
  // Without the emulator's address, requests reach it through HTTPS_PROXY, as any client's.
  const { CLOUDRUN_OAUTH_EMULATOR: _, NODE_USE_ENV_PROXY: __, ...env } = settings.env;
  const child = newUser().start(["login", "--no-browser", "--client-id-file", "client.json"], { env, cwd: settings.cwd });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  await expect.poll(() => stderr, { timeout: 20_000 }).toMatch(/^ {2}https:\S+$/m);
  const url = new URL(/^ {2}(https:\S+)$/m.exec(stderr)?.[1] ?? "");
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    client_id: CLIENT.installed.client_id,
    redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/),
    code_challenge_method: "S256",
    access_type: "offline",
    scope: expect.stringContaining("cloud-platform"),
  });
  url.searchParams.set("login_hint", ME);
  const headers = { "x-cloudrun-oauth": "emulator" };
  const { headers: answer } = await request("GET", url.host, `${url.pathname}${url.search}`, { token: "", headers });
  expect((await fetch(String(answer.location))).status).toBe(200);
  expect(await child).toMatchObject({ exitCode: 0, stdout: "" });
  expect(stderr).toContain(`Signed in as ${ME}`);
  const code = new URL(String(answer.location)).searchParams.get("code") ?? "";
  for (const secret of [code, read()["refresh_token"] ?? "", CLIENT.installed.client_secret]) expect(stderr).not.toContain(secret);
  expect(statSync(gcloud).mode & 0o777).toBe(0o700);
});
