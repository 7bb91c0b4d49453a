import { afterAll, expect, test } from "vitest";
import { mergeEnvironment } from "../../../src/context/merge-environment.ts";
import { runCli, fakeGcloud } from "../../helpers/command-line.ts";
import { startEmulator } from "../../helpers/emulator.ts";
import type { Json } from "../../helpers/api-server.ts";

const emulator = await startEmulator(afterAll);
const { project } = emulator;

interface Entry {
  readonly service?: string;
  /** Milliseconds before now. */
  readonly ago?: number;
  readonly [field: string]: unknown;
}

/** Writes entries as Cloud Run and a service would. */
async function write(...entries: readonly Entry[]): Promise<void> {
  const body = {
    entries: entries.map(({ service = "hello", ago = 1000, log = "stdout", trace, revision = "00001-abc", ...rest }) => ({
      logName: `projects/${project}/logs/run.googleapis.com%2F${String(log)}`,
      resource: {
        type: "cloud_run_revision",
        labels: { project_id: project, location: "us-central1", service_name: service, revision_name: `${service}-${String(revision)}` },
      },
      timestamp: new Date(Date.now() - ago).toISOString(),
      ...(trace !== undefined && { trace: `projects/${project}/traces/${String(trace)}` }),
      ...rest,
    })),
  };
  const { status, text } = await emulator.request("POST", "logging.googleapis.com", "/v2/entries:write", { body });
  if (status !== 200) throw new Error(text);
}

function cli(argv: readonly string[], world: Parameters<typeof runCli>[1] = {}) {
  const env = mergeEnvironment({ HOME: "/nowhere", PATH: "", SERVICE_NAME: "hello" }, emulator.status().environment) as Record<
    string,
    string
  >;
  return runCli(["--via", "api", ...argv], { ...world, env: { ...env, ...world.env } });
}

/** The lines that a command prints, without their times. */
async function lines(...argv: readonly string[]): Promise<string[]> {
  const { stdout } = await cli(argv);
  return stdout
    .replaceAll(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z {2}/gm, "")
    .split("\n")
    .slice(0, -1);
}

const call = (path: string, status: number, latency: string) => ({
  httpRequest: { requestMethod: "GET", requestUrl: `https://hello.run.app${path}`, status, latency },
});

await write(
  { service: "shop", ago: 9000, log: "stdout", textPayload: "listening" },
  { service: "shop", ago: 8000, log: "requests", trace: "aaa", severity: "INFO", ...call("/cart?id=5", 200, "0.012s") },
  { service: "shop", ago: 7000, log: "requests", trace: "bbb", severity: "ERROR", ...call("/order", 500, "1.5s") },
  { service: "shop", ago: 7990, trace: "aaa", severity: "NOTICE", jsonPayload: { message: "cart read", items: 2 } },
  { service: "shop", ago: 6990, trace: "bbb", severity: "ERROR", textPayload: "no stock\n  at order.js:5" },
  { service: "shop", ago: 6980, trace: "bbb", revision: "00002-xyz", textPayload: "\u001B[31mred\u001B[0m and \u0007bell" },
  { service: "shop", ago: 5000, log: "varlog%2Fsystem", severity: "WARNING", textPayload: "Container called exit(7)." },
  { service: "shop", ago: 4000, resource: { type: "gce_instance" }, textPayload: "another resource" },
);

test("entries of a request follow it, and all others are in the order of time", async () => {
  expect(await lines("logs", "shop")).toEqual([
    "DEFAULT   00001-abc  listening",
    "INFO      00001-abc  GET /cart?id=5 200 12 ms",
    'NOTICE    00001-abc  │ cart read  {"items":2}',
    "ERROR     00001-abc  GET /order 500 1.5 s",
    "ERROR     00001-abc  │ no stock",
    `${" ".repeat(47)}│     at order.js:5`,
    "DEFAULT   00002-xyz  │ red and bell",
    "WARNING   00001-abc  Container called exit(7).",
  ]);
});

test("filtered entries are shown with those of the same requests, but as JSON alone", async () => {
  expect(await lines("logs", "shop", "--grep", "NO STOCK")).toEqual([
    "ERROR     00001-abc  GET /order 500 1.5 s",
    "ERROR     00001-abc  │ no stock",
    `${" ".repeat(47)}│     at order.js:5`,
    "DEFAULT   00002-xyz  │ red and bell",
  ]);
  const { stdout } = await cli(["logs", "shop", "--grep", "no stock", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject([{ textPayload: "no stock\n  at order.js:5", severity: "ERROR" }]);
  expect(await lines("logs", "shop", "--severity", "warn", "--revision", "00001-abc", "-n", "1")).toEqual([
    "WARNING   00001-abc  Container called exit(7).",
  ]);
  expect(await lines("logs", "shop", "--revision", "shop-00002-xyz")).toEqual(["DEFAULT   00002-xyz  red and bell"]);
});

test("the latest entries are shown with the request that they belong to", async () => {
  expect(await lines("logs", "shop", "-n", "2")).toEqual([
    "ERROR     00001-abc  GET /order 500 1.5 s",
    "DEFAULT   00002-xyz  │ red and bell",
    "WARNING   00001-abc  Container called exit(7).",
  ]);
});

test("on a terminal severities are in color, and context is dimmed", async () => {
  const { stdout } = await cli(["logs", "shop", "--severity", "error", "-n", "1"], { env: { FORCE_COLOR: "1" } });
  const plain = stdout.replaceAll("\u001B", "^").replaceAll(/\d{4}-\S+Z/g, "TIME");
  const [request, line, , other] = plain.split("\n");
  expect({ request, line, other }).toEqual({
    request: "^[2mTIME  ERROR     00001-abc  GET /order 500 1.5 s^[22m",
    line: "^[2mTIME^[22m  ^[31mERROR   ^[39m  ^[2m00001-abc^[22m  │ no stock",
    other: "^[2mTIME  DEFAULT   00002-xyz  │ red and bell^[22m",
  });
});

test("without entries a note says since when, and a missing service is an error", async () => {
  const path = "/apis/serving.knative.dev/v1/namespaces/cloudrun-local/services";
  const body = {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "silent", namespace: project },
    spec: { template: { spec: { containers: [{ image: "gcr.io/cloudrun-local/nope" }] } } },
  };
  await emulator.request("POST", "us-central1-run.googleapis.com", path, { body });
  const silent = await cli(["logs", "silent", "--since", "2026-01-31T12:00Z", "--severity", "emergency", "--json"]);
  expect([silent.exitCode, JSON.parse(silent.stdout)]).toEqual([0, []]);
  expect(silent.stderr).toBe(
    "No matching log entries for silent since 2026-01-31T12:00:00.000Z. To search further back, use --since 7d.\n",
  );
  expect(await cli(["logs", "missing"])).toMatchObject({
    exitCode: 4,
    stdout: "",
    stderr: expect.stringContaining('Service "missing" not found in us-central1.'),
  });
});

test.for([
  [["--since", "yesterday"], "Examples: 90s, 30m, 7d"],
  [["--since", "2026-02-31T25:00Z"], "Examples: 90s"],
  [["--severity", "loud"], "Allowed values: default, debug, info"],
  [["--grep", " "], "Use a text that isn't empty."],
  [["-n", "-1"], "Use a whole number."],
] as const)("%j is rejected", async ([argv, message]) => {
  expect(await cli(["logs", "shop", ...argv])).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(message) });
});

test("--follow prints each entry once, as one line of JSON, despite a broken connection, until Ctrl-C", async () => {
  await write({ service: "tailed", ago: 2000, textPayload: "before" });
  const end = new AbortController();
  const seen: Json[] = [];
  let text = "";
  const onStdout = (piece: Buffer) => {
    text += piece.toString("utf8");
    const whole = text.split("\n");
    text = whole.pop() ?? "";
    seen.push(...whole.map((line) => JSON.parse(line) as Json));
  };
  const argv = ["logs", "tailed", "-f", "-n", "0", "--json", "--interval", "50ms"];
  const followed = cli(argv, { signal: end.signal, onStdout });
  const said = () => seen.map(({ textPayload }) => textPayload as string);
  let written = 0;
  const writeSome = async () => {
    for (let time = 0; time < 5; time += 1) await write({ service: "tailed", ago: 0, textPayload: `line ${(written += 1)}` });
  };
  await expect.poll(async () => (await writeSome(), said().length), { timeout: 30_000 }).toBeGreaterThan(0);
  await emulator.request("POST", `127.0.0.1:${emulator.port}`, "/_emulator/faults", {
    body: { match: "logging.googleapis.com/v2/entries:list", reset: true, times: 2 },
    headers: { "x-cloudrun-oauth": "emulator" },
  });
  await writeSome();
  // One that was taken in late has an earlier time.
  await write({ service: "tailed", ago: 30_000, textPayload: `line ${(written += 1)}` });
  const last = `line ${written}`;
  await expect.poll(said, { timeout: 60_000 }).toContain(last);
  end.abort();
  const { exitCode, stderr } = await followed;
  expect(exitCode).toBe(0);
  expect(stderr).toContain("Retrying.");
  const expected = Array.from({ length: written }, (_, index) => `line ${index + 1}`);
  const first = expected.indexOf(said()[0] ?? "");
  expect(said().toSorted()).toEqual(expected.slice(first).toSorted());
  expect(new Set(said()).size).toBe(said().length);
}, 120_000);

test("through gcloud a read is one command, which --dry-run prints", async () => {
  const since = "2026-01-31T12:00:00.000Z";
  const filter =
    'resource.type="cloud_run_revision" AND resource.labels.service_name="hello" AND resource.labels.location="us-central1" AND ' +
    `NOT logName:"cloudaudit.googleapis.com" AND timestamp>="${since}" AND severity>=WARNING`;
  const line = `logging read ${filter} --order desc --limit 5 --project my-project --quiet --format=json`;
  const argv = ["logs", "hello", "--since", "2026-01-31T12:00Z", "--severity", "warning", "-n", "5"];
  const stdout = JSON.stringify([
    { timestamp: "2026-01-31T12:01:00.5Z", severity: "ERROR", textPayload: "later" },
    { timestamp: "2026-01-31T12:00:59.123456Z", severity: "WARNING", textPayload: "earlier" },
  ]);
  const done = await runCli(argv, { env: { PROJECT_ID: "my-project", ...fakeGcloud({ line, stdout }) } });
  expect(done.stdout).toMatch(/^2026-01-31T12:00:59\.123Z {2}WARNING .* earlier\n2026-01-31T12:01:00\.500Z {2}ERROR .* later\n$/);
  const dry = await runCli([...argv, "--dry-run"], { env: { PROJECT_ID: "my-project", ...fakeGcloud() } });
  expect(dry.stdout).toBe(`gcloud ${line.replace(filter, `'${filter}'`)}\n`);
});
