import { execa } from "execa";
import { get } from "node:http";
import { afterAll, expect, test } from "vitest";
import { signIn } from "../../src/cloud/gcloud/sign-in.ts";
import { runCli } from "../helpers/command-line.ts";
import type { Json } from "../helpers/api-server.ts";
import { startEmulator, tinyService } from "../helpers/emulator.ts";
import { testNeeding } from "../helpers/requirements.ts";

/** Writes in each way that Cloud Logging tells apart, and ends where it is asked to. */
const LOUD = `
console.log("listening soon");
require("node:http")
  .createServer((request, response) => {
    const trace = "projects/p/traces/" + request.headers.traceparent.split("-")[1];
    if (request.url === "/exit") process.exit(7);
    console.log(JSON.stringify({ severity: "NOTICE", message: "called " + request.url, "logging.googleapis.com/trace": trace }));
    console.log(JSON.stringify({ severity: "ERROR", message: "no stock", order: { id: 5 } }));
    console.error("plain " + request.headers["x-shout"]);
    response.end("hello");
  })
  .listen(process.env.PORT, "127.0.0.1");
`;

const emulator = await startEmulator(afterAll);
const { port, project } = emulator;
const { host, url } = await emulator.deploy("loud", tinyService(LOUD));
const { host: privateHost } = await emulator.deploy("private", tinyService(LOUD));
await emulator.grant("loud", "allUsers");

function call(path: string, headers: Readonly<Record<string, string>> = {}, to = host): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, headers: { host: to, ...headers }, agent: false }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    }).on("error", reject);
  });
}

async function list(filter: string): Promise<Json[]> {
  const body = { resourceNames: [`projects/${project}`], filter };
  return (await emulator.request("POST", "logging.googleapis.com", "/v2/entries:list", { body })).json["entries"];
}

test("a service's output becomes entries of its revision, with the trace of the request that caused them", async () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  expect(await call("/a?b=c", { traceparent, "user-agent": "tester", referer: "https://example.com/", "x-shout": "text" })).toBe(200);
  await expect.poll(() => list('textPayload="plain text"')).toHaveLength(1);
  const revision = expect.stringMatching(/^loud-00001-/);
  const labels = {
    project_id: project,
    location: "us-central1",
    service_name: "loud",
    configuration_name: "loud",
    revision_name: revision,
  };
  const common = { resource: { type: "cloud_run_revision", labels }, labels: { instanceId: expect.stringMatching(/^[0-9a-f]{130}$/) } };
  const stdout = `projects/${project}/logs/run.googleapis.com%2Fstdout`;
  expect(await list('log_id("run.googleapis.com/stdout") resource.labels.service_name=loud')).toMatchObject([
    { ...common, logName: stdout, textPayload: "listening soon" },
    { ...common, logName: stdout, textPayload: "called /a?b=c", severity: "NOTICE", trace: `projects/p/traces/${traceId}` },
    { ...common, logName: stdout, jsonPayload: { message: "no stock", order: { id: 5 } }, severity: "ERROR" },
  ]);
  expect(await list('textPayload="plain text"')).toMatchObject([{ ...common, logName: stdout.replace("stdout", "stderr") }]);
  expect(await list(`httpRequest.status=200 trace:${traceId}`)).toMatchObject([
    {
      resource: { labels },
      logName: stdout.replace("stdout", "requests"),
      severity: "INFO",
      trace: `projects/${project}/traces/${traceId}`,
      traceSampled: true,
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
      httpRequest: {
        requestMethod: "GET",
        requestUrl: `${url}/a?b=c`,
        status: 200,
        userAgent: "tester",
        referer: "https://example.com/",
        remoteIp: "127.0.0.1",
        latency: expect.stringMatching(/^\d+\.\d{9}s$/),
        requestSize: expect.stringMatching(/^[1-9]\d\d$/),
        responseSize: expect.stringMatching(/^[1-9]\d\d$/),
        protocol: "HTTP/1.1",
      },
    },
  ]);
});

test("Cloud Run logs that an instance started and how it ended", async () => {
  expect(await call("/exit")).toBe(503);
  const system = 'log_id("run.googleapis.com/varlog/system") resource.labels.service_name=loud';
  await expect.poll(() => list(`${system} textPayload:exit`)).toHaveLength(1);
  expect((await list(system)).map(({ severity, textPayload }) => [severity, textPayload])).toEqual([
    ["INFO", 'Default STARTUP TCP probe succeeded after 1 attempt for container "loud-1" on port 8080.'],
    ["WARNING", "Container called exit(7)."],
  ]);
});

test("rejected requests are logged with Cloud Run's message and without credentials, unless the service doesn't exist", async () => {
  const token = await emulator.idToken("https://example.com");
  expect(await call("/none", {}, privateHost)).toBe(403);
  expect(await call("/bad", { authorization: `Bearer ${token}` }, privateHost)).toBe(401);
  expect(await call("/not-granted", { authorization: `Bearer ${await emulator.idToken(`https://${privateHost}`)}` }, privateHost)).toBe(
    403,
  );
  expect(await call("/nobody", {}, "nobody-abcdefghij-uc.a.run.app")).toBe(404);
  const requests = await list('log_id("run.googleapis.com/requests") resource.labels.service_name=private');
  expect(requests.map(({ severity, httpRequest, textPayload }) => [severity, httpRequest.status, textPayload])).toEqual([
    [
      "WARNING",
      403,
      expect.stringMatching(/^The request was not authenticated\. Either allow unauthenticated invocations or set the proper/),
    ],
    ["WARNING", 401, expect.stringMatching(/The access token could not be verified\. The token's audience is "https:\/\/example\.com"/)],
    [
      "WARNING",
      403,
      expect.stringMatching(/^The request was not authorized to invoke this service\..*caller@.* lacks run\.routes\.invoke\.$/),
    ],
  ]);
  expect(JSON.stringify(await list(""))).not.toContain(token.split(".")[2]);
  expect(await list("nobody")).toEqual([]);
});

testNeeding("gcloud", "gcloud reads the log of a service, also with a filter", async ([gcloud = ""]) => {
  const env = { ...process.env, ...emulator.status().environment } as NodeJS.ProcessEnv;
  for (const [name, value] of Object.entries(env)) if (value === null) delete env[name];
  await signIn(env);
  const run = async (...args: string[]) => (await execa(gcloud, args, { env, extendEnv: false, stdin: "ignore" })).stdout;
  await call("/read-by-gcloud", {}, privateHost);
  const read = async (service: string) => (await run("run", "services", "logs", "read", service, "--region=us-central1")).split("\n");
  const time = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d";
  expect(await read("private")).toContainEqual(
    expect.stringMatching(new RegExp(`^${time} GET 403 https://${privateHost}/read-by-gcloud$`)),
  );
  const filter = `resource.type=cloud_run_revision AND severity>=ERROR AND jsonPayload.order.id=5`;
  expect(await run("logging", "read", filter, "--format=value(jsonPayload.message)", "--limit=1")).toBe("no stock");
  await run("logging", "write", "by-hand", "written by hand", "--severity=ALERT");
  expect(await run("logging", "read", "severity=ALERT", "--format=value(textPayload)")).toBe("written by hand");
});

test("emulator logs shows the latest entries, those of a severity, and new ones", async () => {
  const env = { CLOUDRUN_OAUTH_EMULATOR: emulator.url };
  await call("/one", {}, privateHost);
  await call("/two", {}, privateHost);
  const shown = await runCli(["emulator", "logs", "private", "--severity", "WARNING", "--limit", "1"], { env });
  expect(shown).toEqual({
    exitCode: 0,
    stderr: "",
    stdout: expect.stringMatching(/^[-\dT:.]{23}Z {2}WARNING {3}00001-\w{3} {2}GET \/two 403 \d+ ms {2}The request was .*\n$/),
  });
  const { stdout } = await runCli(["emulator", "logs", "private", "--json", "--limit", "2"], { env });
  expect(JSON.parse(stdout)).toMatchObject([
    { httpRequest: { requestUrl: `https://${privateHost}/one` } },
    { httpRequest: { requestUrl: `https://${privateHost}/two` } },
  ]);

  const end = new AbortController();
  const followed = runCli(["emulator", "logs", "private", "-f", "--limit", "0"], { env, signal: end.signal });
  await expect
    .poll(
      async () => {
        await call("/followed", {}, privateHost);
        return (await list("followed")).length;
      },
      { timeout: 20_000, interval: 100 },
    )
    .toBeGreaterThan(10);
  end.abort();
  const { exitCode, stdout: lines } = await followed;
  expect([exitCode, lines.split("\n")[0]]).toEqual([0, expect.stringMatching(/GET \/followed 403 \d+ ms /)]);
});

test("emulator logs rejects an unknown severity", async () => {
  const env = { CLOUDRUN_OAUTH_EMULATOR: emulator.url };
  expect(await runCli(["emulator", "logs", "--severity", "loud"], { env })).toMatchObject({
    exitCode: 2,
    stdout: "",
    stderr: expect.stringContaining("'loud'"),
  });
});
