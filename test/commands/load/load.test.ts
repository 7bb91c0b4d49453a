import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { mergeEnvironment } from "../../../src/context/merge-environment.ts";
import { CliError } from "../../../src/errors/cli-error.ts";
import { sendAdmin } from "../../helpers/admin.ts";
import { openCaller, serveService, verifiedClaims } from "../../helpers/caller.ts";
import { folder, runCli } from "../../helpers/command-line.ts";
import { HELLO, startEmulator, tinyService } from "../../helpers/emulator.ts";

/** Responds slowly, so that a second request needs a second instance. */
const SLOW = `
require("node:http")
  .createServer((request, response) => void setTimeout(() => response.end("done"), 300))
  .listen(process.env.PORT, "127.0.0.1");
`;

const emulator = await startEmulator(afterAll);
const { project, request, port } = emulator;
const env = mergeEnvironment({}, emulator.status().environment) as Record<string, string>;
const member = `serviceAccount:${env["SERVICE_ACCOUNT_EMAIL"]}`;
const SERVICES = `/apis/serving.knative.dev/v1/namespaces/${project}/services`;
const cli = (...argv: readonly string[]) => runCli(["--via", "api", "load", ...argv], { env, cwd: emulator.directory });
let url = "";

beforeAll(async () => {
  ({ url } = await emulator.deploy("hello", tinyService(HELLO)));
});

test("a caller without the role gets one explanation, and nothing is sent", async () => {
  await emulator.grant("hello", `serviceAccount:operator@${project}.iam.gserviceaccount.com`);
  const { exitCode, stdout, stderr } = await cli("hello", "-n", "50");
  expect([exitCode, stdout, stderr.match(/\[NOT_AUTHORIZED\]/g)?.length]).toEqual([9, "", 1]);
  expect(stderr).toContain(`cloudrun-oauth grant hello --region us-central1 --member ${member}`);
});

test("--json reports requests, responses, and latencies, and --plot draws them", async () => {
  await emulator.grant("hello", member);
  const plot = join(folder(), "load.svg");
  const { exitCode, stdout, stderr } = await cli("hello", "/orders?id=1", "-n", "60", "-c", "3", "--json", "--plot", plot);
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining("Saved the plot to")]);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({
    url: `${url}/orders?id=1`,
    method: "GET",
    audience: url,
    principal: member,
    check: { status_code: 200 },
    concurrency: 3,
    rate: null,
    ended_by: "requests",
    requests: { sent: 60, answered: 60, failed: 0, unsent: 0, abandoned: 0 },
    tokens: 1,
    status_codes: { "200": 60 },
    errors: {},
    cold_starts: null,
    new_instances: null,
  });
  const { min, p50, p99_9, max } = report.latency_ms;
  expect([min > 0, min <= p50, p50 <= p99_9, p99_9 <= max]).toEqual([true, true, true, true]);
  expect(report.slowest[0]).toEqual({
    latency_ms: max,
    status_code: 200,
    at_ms: expect.any(Number),
    trace: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(report.histogram.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(60);
  const svg = readFileSync(plot, "utf8");
  expect(svg).toContain(`<title>GET ${url}/orders?id=1</title>`);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});

test("a token that Cloud Run no longer accepts is renewed, and every request is answered", async () => {
  const move = (seconds: number) => sendAdmin(port, "PUT", "/_emulator/clock", { shift_ms: seconds * 1000 });
  onTestFinished(async () => void (await move(0)));
  await emulator.grant("hello", member);
  await move(-50);
  const cache = { ...env, CLOUDRUN_OAUTH_CACHE_DIR: folder() };
  await runCli(["load", "--url", url, "-n", "1"], { env: cache });
  await move(3570);
  const { stdout } = await runCli(["load", "--url", url, "-n", "40", "--no-check", "--json"], { env: cache });
  expect(JSON.parse(stdout)).toMatchObject({ status_codes: { "200": 40 }, tokens: 2, check: null });
});

test("--cold-starts reports the responses that waited for a new instance", async () => {
  await emulator.deploy("slow", tinyService(SLOW));
  await emulator.grant("slow", member);
  const service = (await request("GET", "us-central1-run.googleapis.com", `${SERVICES}/slow`)).json;
  service["spec"].template = { spec: { ...service["spec"].template.spec, containerConcurrency: 1 } };
  await request("PUT", "us-central1-run.googleapis.com", `${SERVICES}/slow`, { body: service });
  const isReady = async () => (await request("GET", "us-central1-run.googleapis.com", `${SERVICES}/slow`)).json.status;
  await expect
    .poll(async () => (await isReady()).latestReadyRevisionName, { timeout: 30_000 })
    .not.toBe(service["status"].latestReadyRevisionName);
  const { stdout, stderr } = await cli("slow", "-n", "8", "-c", "3", "--json", "--cold-starts");
  const { cold_starts: cold, status_codes: statuses } = JSON.parse(stdout);
  expect([statuses, stderr]).toEqual([{ "200": 8 }, expect.not.stringContaining("Warning:")]);
  expect(cold).toMatchObject({ looked_up: 8, found_in_log: 8 });
  expect(cold.instances).toBeGreaterThanOrEqual(1);
  expect(cold.answers).toBeGreaterThanOrEqual(1);
  expect(cold.answers).toBeLessThanOrEqual(6);
}, 60_000);

test("--dry-run shows the request, the number, and the rate", async () => {
  const { exitCode, stdout } = await cli("hello", "--json-data", "[1]", "--rate", "20", "--duration", "1m", "--dry-run");
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([
    0,
    {
      method: "POST",
      url: `${url}/`,
      body: "[1]",
      audience: url,
      principal: member,
      requests: null,
      duration_ms: 60_000,
      rate: 20,
      concurrency: 10,
    },
  ]);
});

test("each request has the token and the flags' headers, and the report is readable", async () => {
  const seen = new Map<string, number>();
  const service = await serveService((incoming, response) => {
    const what = [incoming.method, incoming.url, incoming.headers["x-own"], verifiedClaims(incoming.headers.authorization)?.["aud"]].join(
      " ",
    );
    seen.set(what, (seen.get(what) ?? 0) + 1);
    response.setHeader("X-Instance", "one").end("{}");
  });
  const { run } = await openCaller();
  const flags = ["-X", "PUT", "-H", "X-Own: 1", "--instance-header", "X-Instance", "--audience", "https://example.com"];
  const { exitCode, stdout, stderr } = await run(["load", "--url", service, "/things", "-n", "20", ...flags]);
  expect([exitCode, [...seen]]).toEqual([0, [["PUT /things 1 https://example.com", 21]]]);
  expect(stdout).toMatch(
    /^REQUESTS\t20 in [\d.]+ s over 10 connections\nREQUESTS\/S\t[\d.,]+\nFAILED\t0\n200\t20\nWARM-UP\t[\d.]+ ms \(excluded\)\n/,
  );
  expect(stdout).toMatch(/^LATENCY\tp50 [\d.]+ ms {2}p75 .* p99\.9 [\d.]+ ms\nRANGE\tmin [\d.]+ ms {2}mean .* {2}max [\d.]+ ms$/m);
  expect(stdout).toMatch(/^INSTANCES\t1 \(by X-Instance\)$/m);
  expect(stdout).toMatch(/^≤ [\d.]+ ms\t\d+\t█+$/m);
  expect(stderr).toMatch(/✓ Sent 20 requests to 127\.0\.0\.1:\d+/);
});

test("failures above --max-errors and a p99 above --max-p99 exit with 8 after the report, allowed ones with 0", async () => {
  let count = 0;
  const service = await serveService((_, response) => response.writeHead((count += 1) % 10 === 0 ? 503 : 200).end());
  const { run } = await openCaller();
  const results = [
    await run(["load", "--url", service, "--no-check", "-n", "100", "--json"]),
    await run(["load", "--url", service, "--no-check", "-n", "100", "--max-errors", "10%"]),
    await run(["load", "--url", service, "--no-check", "-n", "100", "--max-errors", "10%", "--max-p99", "0.001ms"]),
  ];
  expect(results.map(({ exitCode }) => exitCode)).toEqual([8, 0, 8]);
  expect(JSON.parse(results[0]?.stdout ?? "").requests).toMatchObject({ answered: 100, failed: 10 });
  const last = (results[0]?.stderr ?? "").trimEnd().split("\n").at(-1) ?? "";
  expect(JSON.parse(last).error).toMatchObject({ code: "LOAD_FAILED", message: "10 of 100 requests failed (limit: 0%)." });
  expect(results[2]?.stderr).toMatch(/p99 latency was [\d.]+ m?s \(limit: 0\.001 ms\)\. \[LOAD_FAILED\]\n  To show the service's logs:\n/);
});

test("Ctrl-C ends the run silently with a report so far", async () => {
  const end = new AbortController();
  let count = 0;
  const service = await serveService((_, response) => {
    response.end();
    if ((count += 1) === 30) end.abort(new CliError("INTERRUPTED", "Interrupted."));
  });
  const { run } = await openCaller();
  const { exitCode, stdout, stderr } = await run(["load", "--url", service, "--duration", "10m"], { signal: end.signal });
  expect([exitCode, stdout, stderr]).toEqual([
    130,
    expect.stringMatching(/^REQUESTS\t/),
    expect.stringMatching(/✓ Sent \d+ requests [^\n]*\n$/),
  ]);
});

test("a run that costs money needs --yes if no one can be asked", async () => {
  const { run } = await openCaller();
  const { exitCode, stdout, stderr } = await run(["load", "https://hello.example.com/", "--no-check", "-n", "1500"]);
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/^This sends about 1,500 requests to hello\.example\.com\. Google Cloud bills them\.\n.*--yes/s);
});

test.for([
  ["no request", ["-n", "0"], "--requests must be at least 1."],
  ["no connection", ["-c", "0"], "--concurrency must be between 1 and 5000."],
  ["a rate above the limit", ["--rate", "1001"], "--rate 1001 exceeds the limit of 1000 requests per second."],
  ["a rate of 0", ["--rate", "0"], "Use a number greater than 0."],
  ["a percentage above 100", ["--max-errors", "101%"], "Examples: 1%, 0.5%."],
  ["two bodies", ["-d", "a", "--json-data", "1"], "can't be used together"],
  ["an invalid header name", ["--instance-header", "X Y"], 'Invalid header name "X Y" for --instance-header.'],
  ["a plot in a directory that doesn't exist", ["--plot", "/nowhere/at/all.svg"], "Can't write"],
  ["two paths", ["/a", "/b"], "Expected one path, but got two."],
  ["--cold-starts without a service", ["--cold-starts"], "ervice"],
] as const)("%s is refused before anything is sent", async ([, flags, sentence]) => {
  let count = 0;
  const service = await serveService((_, response) => response.end(String((count += 1))));
  const { run } = await openCaller();
  const { exitCode, stdout, stderr } = await run(["load", "--url", service, ...flags]);
  expect([exitCode, stdout, count, stderr]).toEqual([2, "", 0, expect.stringContaining(sentence)]);
});

test("a stream body is refused, and so is a service that doesn't exist", async () => {
  const { run } = await openCaller();
  const large = await run(["load", "--url", "http://127.0.0.1:1", "-d", "@-"], { stdin: "x".repeat(1024 * 1024 + 2) });
  expect([large.exitCode, large.stderr]).toEqual([2, expect.stringContaining("can't be sent repeatedly")]);
  const gone = await run(["load", "--url", "http://127.0.0.1:1", "--no-check", "-n", "3"]);
  expect([gone.exitCode, gone.stderr]).toEqual([
    8,
    expect.stringMatching(/^Error: 3 of 3 requests failed .* \[LOAD_FAILED\]\n  No response: 3\. Can't reach .* \(ECONNREFUSED\)\.\n/m),
  ]);
});
