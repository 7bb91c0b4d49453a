import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:http2";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { mergeEnvironment } from "../../../src/context/merge-environment.ts";
import { sendAdmin } from "../../helpers/admin.ts";
import { newUser } from "../../helpers/bin.ts";
import { runCli } from "../../helpers/command-line.ts";
import { startEmulator, tinyService } from "../../helpers/emulator.ts";
import { expectDocumented } from "../../helpers/json-document.ts";
import { listen } from "../../helpers/listen.ts";
import { call, startProxy } from "../../helpers/proxy.ts";

/** Answers with the URL that was called, and the body. */
const ECHO = `
require("node:http")
  .createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    response.end(JSON.stringify({ host: request.headers.host, body }));
  })
  .listen(process.env.PORT, "127.0.0.1");
`;
/** Echoes messages in HTTP/2, with a status like gRPC's. */
const GRPC = `
require("node:http2")
  .createServer()
  .on("stream", (stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.pipe(stream);
  })
  .listen(process.env.PORT, "127.0.0.1");
`;

const emulator = await startEmulator(afterAll);
const { project, request, port } = emulator;
const env = mergeEnvironment({}, emulator.status().environment) as Record<string, string>;
const member = `serviceAccount:${env["SERVICE_ACCOUNT_EMAIL"]}`;
const SERVICES = `/apis/serving.knative.dev/v1/namespaces/${project}/services`;
const own = { env, cwd: emulator.directory };
const argv = (...flags: readonly string[]) => ["--credentials", env["CREDS"] ?? "", ...flags];
let url = "";
let grpcUrl = "";

beforeAll(async () => {
  ({ url } = await emulator.deploy("echo", tinyService(ECHO)));
  ({ url: grpcUrl } = await emulator.deploy("grpc", tinyService(GRPC), { ports: [{ name: "h2c", containerPort: 8080 }] }));
  await emulator.grant("grpc", member);
});

test("a rejection is forwarded and explained once, and grant and revoke take effect", async () => {
  const { url: door, said, stop } = await startProxy(argv("echo"), own);
  const refused = [await call(`${door}/a`), await call(`${door}/b`)];
  expect(refused.map(({ status, text }) => [status, text.includes("Your client does not have permission to get URL")])).toEqual([
    [403, true],
    [403, true],
  ]);
  await vi.waitFor(() => expect(said()).toContain("[NOT_AUTHORIZED]"), { timeout: 20_000 });
  await emulator.grant("echo", member);
  const { text } = await call(`${door}/c`, { method: "POST", body: "hello", headers: { Origin: "http://localhost:3000" } });
  expect(JSON.parse(text)).toEqual({ host: new URL(url).host, body: "hello" });
  await emulator.grant("echo", `serviceAccount:operator@${project}.iam.gserviceaccount.com`);
  expect((await call(`${door}/d`)).status).toBe(403);
  const { exitCode, stderr } = await stop();
  expect([exitCode, stderr.match(/\[NOT_AUTHORIZED\]/g)?.length]).toEqual([0, 1]);
  expect(stderr).toContain(`cloudrun-oauth grant echo --region us-central1 --member ${member}`);
  expect(stderr.match(/^(?:GET|POST) .*(?= [\d.]+ ms$)/gm)).toEqual(["GET /a 403", "GET /b 403", "POST /c 200", "GET /d 403"]);
});

/** A proxy whose token has expired by the emulator's clock, while this machine's assertions are still valid. */
async function startStale(): Promise<string> {
  const move = (seconds: number) => sendAdmin(port, "PUT", "/_emulator/clock", { shift_ms: seconds * 1000 });
  onTestFinished(async () => void (await move(0)));
  await emulator.grant("echo", member);
  await move(-50);
  const { url: door } = await startProxy(argv("--url", url, "--no-cache"), own);
  expect((await call(door)).status).toBe(200);
  await move(3570);
  return door;
}

test("a token that Cloud Run no longer accepts is renewed without the caller noticing", async () => {
  const door = await startStale();
  expect((await Promise.all([call(door), call(door), call(door)])).map(({ status }) => status)).toEqual([200, 200, 200]);
});

test("a request with a body isn't sent twice: its caller gets the 401, and the next call succeeds", async () => {
  const door = await startStale();
  expect((await call(door, { method: "POST", body: "x" })).status).toBe(401);
  await expect.poll(async () => (await call(door, { method: "POST", body: "x" })).status).toBe(200);
});

test("a tag's revision is called at its own URL, with a token for the service", async () => {
  const service = (await request("GET", "us-central1-run.googleapis.com", `${SERVICES}/echo`)).json;
  service["spec"].traffic = [{ latestRevision: true, percent: 100, tag: "next" }];
  await request("PUT", "us-central1-run.googleapis.com", `${SERVICES}/echo`, { body: service });
  await emulator.grant("echo", member);
  const { url: door, printed } = await startProxy(argv("--url", url, "--tag", "next", "--json"), own);
  const tagged = url.replace("://", "://next---");
  expect(JSON.parse(printed)).toEqual({ url: door, service: tagged, audience: url, principal: member });
  expectDocumented("proxy", JSON.parse(printed));
  await expect.poll(async () => JSON.parse((await call(door)).text)["host"]).toBe(new URL(tagged).host);
});

test("gRPC reaches a service that speaks it, trailers included", async () => {
  const { url: door } = await startProxy(argv("--url", grpcUrl), own);
  const client = connect(door);
  onTestFinished(() => client.destroy());
  const stream = client.request({ ":method": "POST", ":path": "/echo.Echo/Say", "content-type": "application/grpc", te: "trailers" });
  let trailers: Record<string, unknown> = {};
  stream.on("trailers", (received) => (trailers = received));
  stream.end("message");
  expect((await stream.toArray()).join("")).toBe("message");
  expect(trailers["grpc-status"]).toBe("0");
});

test("the status page shows caller and service, in HTML without scripts or in JSON, without secrets", async () => {
  await emulator.grant("echo", member);
  const { url: door } = await startProxy(argv("--url", url), own);
  await call(`${door}/orders/%3Cb%3E?secret=1`);
  await expect.poll(async () => JSON.parse((await page("application/json")).text)["requests"]).toEqual({ total: 1, active: 0 });
  async function page(accept: string) {
    return call(`${door}/.cloudrun-oauth`, { headers: { Accept: accept } });
  }
  const json = JSON.parse((await page("application/json")).text);
  expect(json).toMatchObject({
    proxy: door,
    service: url,
    audience: url,
    principal: member,
    last_requests: [{ method: "GET", status: 200 }],
  });
  expect(json.last_requests[0].path).toBe("/orders/%3Cb%3E");
  expect(json.token.seconds_left).toBeGreaterThan(3000);
  const html = await page("text/html,application/xhtml+xml,*/*;q=0.8");
  expect(html.headers["content-security-policy"]).toMatch(/^default-src 'none'; style-src 'sha256-.*frame-ancestors 'none'$/);
  expect(html.text).toContain(`<dd>${member}</dd>`);
  expect(html.text).not.toMatch(/<script|secret=1|eyJ|PRIVATE KEY/);
});

test("--dry-run shows where calls would go, and --quiet prints only the URL", async () => {
  const { exitCode, stdout } = await runCli(["proxy", ...argv("echo", "--dry-run")], { env });
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([
    0,
    { host: "127.0.0.1", port: 8080, service: url, audience: url, principal: member },
  ]);
  const { url: door, stop } = await startProxy(argv("--url", url, "--quiet"), own);
  await call(door);
  expect(await stop()).toEqual({ exitCode: 0, stdout: `${door}\n`, stderr: "" });
});

test.for([
  ["an address that other machines can reach", ["--host", "0.0.0.0"], 2, "Listening on 0.0.0.0 lets other machines call"],
  ["another machine's address", ["--host", "192.0.2.1", "--allow-remote", "--port", "0"], 1, "Can't listen on 192.0.2.1:0"],
  ["an invalid port", ["--port", "70000"], 2, "Use a port from 0 to 65535"],
  ["a URL with a path", ["--url", "https://hello-abc123-uc.a.run.app/x"], 2, "can't have a path"],
  ["two services", ["hello", "--url", "https://hello-abc123-uc.a.run.app"], 2, "name different services"],
  ["a tag of another host", ["--url", "http://127.0.0.1:1", "--tag", "next"], 2, "--tag needs the service's run.app URL"],
  ["an invalid tag", ["--tag", "Next."], 2, 'Invalid traffic tag "Next."'],
  ["a service that doesn't exist", ["missing"], 4, "missing"],
] as const)("%s is refused with a message", async ([, flags, code, sentence]) => {
  const { exitCode, stdout, stderr } = await runCli(["proxy", ...argv(...flags)], { env: { ...env, CLOUD_RUN_SERVICE_URL: url } });
  expect([exitCode, stdout, stderr]).toEqual([code, "", expect.stringContaining(sentence)]);
});

test("a taken port is named, with a hint how to get a free one", async () => {
  const taken = await listen(createServer());
  const { exitCode, stderr } = await runCli(["proxy", ...argv("--url", url, "--port", String(taken))], { env });
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`Port ${taken} is already in use. [PROXY_FAILED]`)]);
  expect(stderr).toContain("--port 0");
});

test("calls in TLS through an HTTPS proxy are forwarded completely", async () => {
  await emulator.grant("echo", member);
  // The emulator is that proxy; trust in an authority is read when a process starts.
  // Some Nodes warn of their own proxy.
  const { CLOUDRUN_OAUTH_EMULATOR: _, NODE_USE_ENV_PROXY: __, ...byTunnel } = env;
  const child = newUser().start(["proxy", "--url", url, "--port", "0", "--quiet", "--no-cache", ...argv()], { env: byTunnel });
  const door = String((await once(child.stdout, "data"))[0]).trim();
  for (const body of ["", "short", "x".repeat(300_000)]) {
    const { status, text } = await call(door, { method: "POST", body });
    expect([status, JSON.parse(text)]).toEqual([200, { host: new URL(url).host, body }]);
  }
  const answers = await Promise.all(Array.from({ length: 20 }, () => call(door)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  child.kill("SIGINT");
  expect(await child).toMatchObject({ exitCode: 0, stderr: "" });
});
