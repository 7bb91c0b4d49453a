import { chmodSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { checkNode } from "../../../src/commands/doctor/machine.ts";
import { fakeGcloud, folder } from "../../helpers/command-line.ts";
import { runCheck, runDoctor, startDoctorEmulator } from "../../helpers/doctor.ts";

const emulator = await startDoctorEmulator();

/** A PATH with one program, which is a shell script. */
function program(name: string, script: string): string {
  const directory = folder();
  writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, name), 0o755);
  return directory;
}

/** Starts a server on loopback, and returns its URL. */
async function serve(answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer as never).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close(() => {}).closeAllConnections());
  await new Promise((listening) => server.once("listening", listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.for([
  ["v20.19.0", "ok"],
  ["v20.18.3", "fail"],
  ["v18.20.4", "fail"],
  ["v21.7.0", "warn"],
  ["v22.11.0", "warn"],
  ["v22.12.0", "ok"],
  ["v24.0.0", "ok"],
] as const)("Node %s is %s", ([version, status]) => {
  const found = checkNode(version);
  expect(found).toMatchObject({ status, details: { version } });
  expect(found.code).toBe(status === "fail" ? "NODE_OUTDATED" : undefined);
});

test("the running Node is ok", async () => {
  expect(await runCheck("node")).toMatchObject({ status: "ok", message: `Node.js ${process.version}` });
});

test("settings are ok with their values and sources, and fail with what isn't valid", async () => {
  const env = { SERVICE_NAME: "hello", CREDS: '{"type": "service_account"}' };
  expect(await runCheck("settings", { env })).toMatchObject({
    status: "ok",
    message: "Set: service, credentials.",
    details: { service: { value: "hello", source: "SERVICE_NAME" }, credentials: { value: "[inline]", source: "CREDS" } },
  });
  expect(await runCheck("settings")).toMatchObject({ status: "ok", message: "No settings configured." });
  const cwd = folder({ "cloudrun-oauth.json": "{" });
  const { check } = await runDoctor(["settings", "node", "project", "engine", "credentials"], { cwd });
  expect(check("settings")).toMatchObject({
    status: "fail",
    code: "SETTINGS_INVALID",
    message: expect.stringContaining("cloudrun-oauth.json"),
  });
  expect(check("node").status).toBe("ok");
});

test("a container engine is ok or a warning: missing, broken, working, requested, not requested", async () => {
  const none = { status: "ok", message: "No container engine is installed; the emulator runs services as local processes." };
  expect(await runCheck("engine")).toMatchObject(none);
  const broken = program("docker", 'echo "Cannot connect to the Docker daemon." >&2; exit 1');
  expect(await runCheck("engine", { env: { PATH: broken } })).toMatchObject({
    status: "warn",
    message: expect.stringContaining("(docker: Cannot connect to the Docker daemon.)"),
    remedy: "sudo systemctl start docker",
  });
  const working = program("docker", `echo '{"Components": []}'`);
  expect(await runCheck("engine", { env: { PATH: working } })).toMatchObject({ status: "ok", details: { program: "docker" } });
  expect(await runCheck("engine", { env: { CLOUDRUN_OAUTH_ENGINE: "container" } })).toMatchObject({
    status: "fail",
    code: "ENGINE_MISSING",
  });
  expect(await runCheck("engine", { env: { CLOUDRUN_OAUTH_ENGINE: "process", PATH: broken } })).toMatchObject({ status: "skipped" });
});

test("the network is ok if Google answers, and otherwise checks that need it are skipped", async () => {
  expect(await emulator.check("network")).toMatchObject({
    status: "ok",
    message: expect.stringContaining(", through the emulator 127.0.0.1:"),
  });
  const HTTPS_PROXY = await serve((_, response) => response.end()).then((url) => url.replace(/\d+$/, "1"));
  const env = { HTTPS_PROXY, NO_PROXY: "localhost", PROJECT_ID: "my-project", SERVICE_NAME: "hello" };
  const { check, results } = await runDoctor([], { env });
  expect(check("network")).toMatchObject({
    status: "fail",
    code: "UNAVAILABLE",
    message: expect.stringContaining("through the proxy 127.0.0.1:1: connection refused"),
  });
  for (const name of ["clock", "token", "billing", "may-deploy", "repository", "org-members", "service", "policy", "caller"])
    expect(check(name)).toMatchObject({ name, status: "skipped", message: expect.stringMatching(/^Skipped: depends on "/) });
  expect(results.filter(({ status }) => status === "fail").map(({ name }) => name)).toEqual([
    "network",
    "credentials",
    "deploy-credentials",
  ]);
});

test("a proxy that refuses, asks for a password, or isn't a proxy is reported", async () => {
  const refuse = createServer();
  refuse.on("connect", (_, socket) => socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
  refuse.listen(0, "127.0.0.1");
  onTestFinished(() => void refuse.close());
  await new Promise((listening) => refuse.once("listening", listening));
  const asking = `http://me:hunter2@127.0.0.1:${(refuse.address() as AddressInfo).port}`;
  const { stderr, check } = await runDoctor(["network", "proxy", "-v"], { env: { HTTPS_PROXY: asking, NO_PROXY: "localhost" } });
  expect(check("network")).toMatchObject({
    status: "fail",
    code: "UNAVAILABLE",
    message: expect.stringContaining("407"),
    remedy: expect.stringContaining("USER:PASSWORD"),
  });
  expect(JSON.stringify(check("proxy")) + stderr).not.toContain("hunter2");
  expect(await runCheck("network", { env: { HTTPS_PROXY: "socks5://127.0.0.1:1080" } })).toMatchObject({
    status: "fail",
    code: "SETTINGS_INVALID",
  });
});

test("a server that answers instead of Google is reported", async () => {
  const url = await serve((_, response) => response.end("<h1>Sign in to this network</h1>"));
  expect(await runCheck("network", { env: { CLOUDRUN_OAUTH_EMULATOR: url } })).toMatchObject({
    status: "fail",
    code: "UNAVAILABLE",
    message: "www.googleapis.com returned an unexpected response (status 200).",
  });
});

test("an emulator that isn't running is reported", async () => {
  expect(await runCheck("network", { env: { CLOUDRUN_OAUTH_EMULATOR: "http://127.0.0.1:1" } })).toMatchObject({
    status: "fail",
    code: "EMULATOR_NOT_RUNNING",
    remedy: expect.stringContaining("cloudrun-oauth emulator start"),
  });
});

const PROXY = "http://127.0.0.1:3128";
test.for([
  [{}, "ok", "No proxy is set."],
  [{ CLOUDRUN_OAUTH_EMULATOR: "http://127.0.0.1:1" }, "ok", "Requests to Google go to the emulator."],
  [{ HTTPS_PROXY: PROXY, NO_PROXY: "localhost,10.0.0.0/8" }, "ok", "Requests to Google use the proxy 127.0.0.1:3128."],
  [{ HTTPS_PROXY: PROXY, NO_PROXY: "*" }, "ok", "NO_PROXY excludes Google from the proxy."],
  [{ HTTPS_PROXY: PROXY }, "warn", "NO_PROXY doesn't include localhost"],
  [{ HTTP_PROXY: PROXY }, "warn", "HTTP_PROXY is set but HTTPS_PROXY isn't"],
  [{ ALL_PROXY: PROXY }, "warn", "ALL_PROXY is set but HTTPS_PROXY isn't"],
  [{ HTTPS_PROXY: PROXY, https_proxy: "http://127.0.0.1:8080" }, "warn", "HTTPS_PROXY and https_proxy differ"],
  [{ HTTPS_PROXY: "no address" }, "fail", "HTTPS_PROXY isn't the URL of an HTTP proxy."],
] as const)("with the variables %j the proxy is %s", async ([env, status, sentence]) => {
  const found = await runCheck("proxy", { env: env as Record<string, string> });
  expect(found).toMatchObject({ status, message: expect.stringContaining(sentence) });
  expect(found.remedy === null).toBe(status === "ok");
});

test.for([
  [{}, "ok", "Certificates are verified."],
  [{ SSL_CERT_FILE: "/dev/null" }, "ok", "More certificate authorities come from SSL_CERT_FILE."],
  [{ NODE_TLS_REJECT_UNAUTHORIZED: "0" }, "warn", "disables certificate checks"],
  [{ REQUESTS_CA_BUNDLE: "/no/such/file.pem" }, "warn", "Can't read the certificates in /no/such/file.pem (REQUESTS_CA_BUNDLE)."],
] as const)("with the variables %j tls is %s", async ([env, status, sentence]) => {
  expect(await runCheck("tls", { env: env as Record<string, string> })).toMatchObject({
    status,
    message: expect.stringContaining(sentence),
  });
});

test.for([
  ["+0s", "ok"],
  ["+30s", "warn"],
  ["-30s", "warn"],
  ["+2h", "fail"],
] as const)("with Google's clock off by %s, this machine's clock is %s", async ([shift, status]) => {
  await emulator.run(["emulator", "clock", shift]);
  onTestFinished(async () => void (await emulator.run(["emulator", "clock", "reset"])));
  expect(await emulator.check("clock")).toMatchObject({ status, code: status === "fail" ? "CLOCK_SKEW" : null });
});

test("a response without a date is not compared with the clock", async () => {
  const url = await serve((_, response) => response.setHeader("date", "").end('{"keys": []}'));
  expect(await runCheck("clock", { env: { CLOUDRUN_OAUTH_EMULATOR: url } })).toMatchObject({ status: "skipped" });
});

const VERSION = "version --format=json";
const CONFIG = "config list --format=json";
const versions = (sdk: string, ...components: string[]) =>
  JSON.stringify({ "Google Cloud SDK": sdk, core: "2025.06.20", ...Object.fromEntries(components.map((name) => [name, "1"])) });

const GCLOUD = ["gcloud", "gcloud-components", "gcloud-account"];
const SIGNED_IN = { core: { account: "me@example.com", project: "my-project" } };

test.for([
  [versions("528.0.0", "beta"), SIGNED_IN, ["ok: null", "ok: null", "ok: null"]],
  [
    versions("369.0.0"),
    { core: { account: "me@example.com", project: "other-project" } },
    ["warn: gcloud components update", "warn: gcloud components install beta", "warn: gcloud config set project my-project"],
  ],
] as const)("the version, components, account, and project of gcloud are checked: %s %j", async ([version, config, expected]) => {
  const gcloud = fakeGcloud({ line: VERSION, stdout: version }, { line: CONFIG, stdout: JSON.stringify(config) });
  const { results } = await runDoctor(GCLOUD, { env: { ...gcloud, PROJECT_ID: "my-project" } });
  expect(results.map(({ status, remedy }) => `${status}: ${remedy}`)).toEqual(expected);
});

test("a gcloud without an account fails if commands use gcloud", async () => {
  const signedOut = () => fakeGcloud({ line: CONFIG, stdout: "{}" });
  const failure = { status: "fail", code: "CREDENTIALS_MISSING", remedy: "gcloud auth login" };
  expect(await runCheck("gcloud-account", { env: signedOut() })).toMatchObject(failure);
  expect((await runCheck("gcloud-account", { env: { ...signedOut(), CLOUDRUN_OAUTH_VIA: "api" } })).status).toBe("warn");
});

test("a missing gcloud is skipped, and fails if it is requested", async () => {
  const { results } = await runDoctor(GCLOUD);
  expect(results.map(({ status }) => status)).toEqual(["skipped", "skipped", "skipped"]);
  expect(await runCheck("gcloud", { env: { CLOUDRUN_OAUTH_VIA: "gcloud" } })).toMatchObject({ status: "fail", code: "GCLOUD_MISSING" });
});

test("a broken gcloud fails if commands use gcloud, and is a warning otherwise", async () => {
  for (const script of ["echo Traceback >&2; exit 1", "echo not JSON", "echo '[]'", "echo null"]) {
    const PATH = program("gcloud", script);
    const { check } = await runDoctor(GCLOUD, { env: { PATH } });
    expect(check("gcloud")).toMatchObject({
      status: "fail",
      code: "GCLOUD_FAILED",
      message: expect.stringMatching(/^gcloud doesn't work: /),
    });
    expect(check("gcloud-components")).toMatchObject({ status: "skipped", message: 'Skipped: depends on "gcloud".' });
    expect(await runCheck("gcloud", { env: { PATH, CLOUDRUN_OAUTH_VIA: "api" } })).toMatchObject({ status: "warn" });
  }
});

test("a gcloud that hangs delays no other check, and is killed", async () => {
  const PATH = program("gcloud", "exec /bin/sleep 600");
  const { check } = await runDoctor(["node", "gcloud", "gcloud-account", "--max-time", "1s"], { env: { PATH } });
  expect(check("node").status).toBe("ok");
  for (const name of ["gcloud", "gcloud-account"])
    expect(check(name)).toMatchObject({
      status: "warn",
      message: "Timed out after 1 s.",
      remedy: `cloudrun-oauth doctor ${name} --max-time 60s`,
    });
});
