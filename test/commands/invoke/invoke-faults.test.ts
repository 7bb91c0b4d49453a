import { createServer, type RequestListener } from "node:http";
import { afterAll, afterEach, expect, test } from "vitest";
import { sendAdmin } from "../../helpers/admin.ts";
import { runCli } from "../../helpers/command-line.ts";
import { HELLO, startEmulator, tinyService } from "../../helpers/emulator.ts";
import { listen } from "../../helpers/listen.ts";

const emulator = await startEmulator(afterAll);
const { port, project } = emulator;
const { environment } = emulator.status();
const env = Object.fromEntries(Object.entries(environment).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
const { url } = await emulator.deploy("hello", tinyService(HELLO));
await emulator.grant("hello", `serviceAccount:${env["SERVICE_ACCOUNT_EMAIL"]}`);

const addFault = (fault: object) => sendAdmin(port, "POST", "/_emulator/faults", fault);
const moveClock = (hours: number) => sendAdmin(port, "PUT", "/_emulator/clock", { shift_ms: hours * 3_600_000 });

afterEach(async () => {
  await sendAdmin(port, "DELETE", "/_emulator/faults");
  await moveClock(0);
});

/** The hops of `invoke`: their requests, and the flags that make `invoke` use them. */
const HOPS = {
  token: { match: "oauth2.googleapis.com/token", flags: ["--url", url] },
  describe: { match: "*run.googleapis.com", flags: ["--via", "api", "-s", "hello", "-p", project, "-r", "us-central1"] },
  service: { match: "*.run.app", flags: ["--url", url] },
} as const;

type Hop = keyof typeof HOPS;
type Outcome = readonly [exitCode: number, said: RegExp];

const THROUGH: Outcome = [0, /^$/];
const LATE: Outcome = [7, /Timed out after 2 s\. \[TIMEOUT\]/];
const HALF: Outcome = [7, /Can't reach \S+\.run\.app: the connection was closed unexpectedly/];
const GONE: Outcome = [7, /Can't reach \S+(run\.app|googleapis\.com)[^:]*: the connection was closed unexpectedly \(ECONNRESET\)\./];

/** Faults and their outcome: `invoke` succeeds, or reports the fault. */
const FAULTS: readonly (readonly [fault: object, flags: readonly string[], outcomes: Readonly<Record<Hop, Outcome>>])[] = [
  [{ status: 503, times: 2 }, [], { token: THROUGH, describe: THROUGH, service: THROUGH }],
  [{ reset: true, times: 1 }, [], { token: THROUGH, describe: THROUGH, service: THROUGH }],
  [{ truncate: 5, times: 1 }, [], { token: THROUGH, describe: THROUGH, service: HALF }],
  [{ status: 429, retry_after: 0, times: 1 }, [], { token: THROUGH, describe: THROUGH, service: THROUGH }],
  [{ latency_ms: 600_000 }, ["--timeout", "2s"], { token: LATE, describe: LATE, service: LATE }],
  [{ reset: true }, [], { token: GONE, describe: GONE, service: GONE }],
  [
    { status: 503 },
    [],
    {
      token: [7, /oauth2\.googleapis\.com keeps returning 503/],
      describe: [7, /run\.googleapis\.com returned 503: The service is currently unavailable\./],
      service: [8, /Cloud Run returned 503: "hello" closed/],
    },
  ],
  [
    { status: 429, retry_after: 3600 },
    [],
    {
      token: [7, /oauth2\.googleapis\.com keeps returning 429/],
      describe: [7, /Quota exceeded in project cloudrun-local/],
      service: [8, /Cloud Run returned 429: "hello" had no instance/],
    },
  ],
];

const CASES = FAULTS.flatMap(([fault, flags, outcomes]) =>
  (Object.keys(HOPS) as Hop[]).map((hop) => [hop, fault, flags, outcomes[hop]] as const),
);

test.for(CASES)("at the hop %s, %j", async ([hop, fault, flags, [exitCode, said]]) => {
  const { match, flags: way } = HOPS[hop];
  await addFault({ match, ...fault });
  const ran = await runCli(["invoke", ...way, ...flags], { env });
  expect(ran).toMatchObject({ exitCode, stderr: expect.stringMatching(said) });
  if (exitCode === 0) expect(JSON.parse(ran.stdout)).toMatchObject({ status_code: 200 });
  const { faults } = (await sendAdmin(port, "GET", "/_emulator/faults")).json;
  expect(faults[0].struck).toBeGreaterThan(0);
});

test.for(["token", "describe"] as const)("a clock that is two hours off is named at the hop %s", async (hop) => {
  await moveClock(2);
  const { exitCode, stderr } = await runCli(["invoke", ...HOPS[hop].flags], { env });
  expect([exitCode, stderr]).toEqual([3, expect.stringContaining("This computer's clock is 2 h behind oauth2.googleapis.com's")]);
});

test("a clock that is changed between two calls is named, although the token was valid", async () => {
  let isMoved = false;
  const onStdout = () => {
    if (!isMoved) void moveClock(2);
    isMoved = true;
  };
  const { exitCode, stderr } = await runCli(["invoke", "--url", url, "--repeat", "100000"], { env, onStdout });
  expect([exitCode, stderr]).toEqual([3, expect.stringContaining("This computer's clock is 2 h behind oauth2.googleapis.com's")]);
});

/** Sends its response byte by byte and never ends it. */
const drip: RequestListener = (_, response) => {
  response.writeHead(200, { "Content-Type": "application/json" });
  const dripping = setInterval(() => response.write(" "), 20);
  response.once("close", () => clearInterval(dripping));
};

test.for(["token", "describe", "service"] as const)("a slow response at the hop %s doesn't outlast --timeout", async (hop) => {
  const token: RequestListener = (_, response) => void response.end('{"access_token":"ya29.x","expires_in":3599,"id_token":"eyJ.eyJ.x"}');
  const server = createServer((request, response) => (hop !== "token" && request.url === "/token" ? token : drip)(request, response));
  const dripping = { ...env, CLOUDRUN_OAUTH_EMULATOR: `http://127.0.0.1:${await listen(server)}` };
  const { exitCode, stderr } = await runCli(["invoke", ...HOPS[hop].flags, "--timeout", "2s"], { env: dripping });
  expect([exitCode, stderr]).toEqual([7, expect.stringMatching(LATE[1])]);
});
