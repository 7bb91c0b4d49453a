import { execPath } from "node:process";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { openCredentialWorld } from "../helpers/credential-world.ts";
import { workingCredentials } from "../helpers/credential-kinds.ts";

const world = await openCredentialWorld(afterAll);
const { run, url, write, federation, token } = world;
const working = await workingCredentials(world);

/** Makes responses of one host fail until the test ends. */
async function addFault(fault: object): Promise<void> {
  const admin = (method: string, body?: object) =>
    fetch(`${world.emulatorUrl}/_emulator/faults`, {
      method,
      headers: { "x-cloudrun-oauth": "emulator" },
      body: body && JSON.stringify(body),
    });
  expect((await admin("POST", fault)).status).toBe(200);
  onTestFinished(async () => void (await admin("DELETE")));
}

const HOPS = [
  ["user login", "oauth2.googleapis.com"],
  ["federation, file", "sts.googleapis.com"],
  ["federation, file", "iamcredentials.googleapis.com"],
  ["impersonation", "oauth2.googleapis.com"],
  ["impersonation", "iamcredentials.googleapis.com"],
] as const;

test.for(HOPS)(
  "%s: a %s that fails for a moment is asked again, and one that goes on failing is UNAVAILABLE",
  { timeout: 60_000 },
  async ([kind, host]) => {
    const { flags = [] } = working[kind] ?? {};
    await addFault({ match: host, status: 503, times: 1 });
    const once = await run(["token", url, ...flags]);
    expect({ exitCode: once.exitCode, lines: once.stdout.split("\n").length }).toEqual({ exitCode: 0, lines: 2 });
    await addFault({ match: host, status: 503 });
    const { exitCode, stdout, stderr } = await run(["token", url, ...flags]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: "" });
    expect(stderr).toMatch(new RegExp(`^Error: ${host} keeps returning 503\\. .*\\[UNAVAILABLE\\]`));
  },
);

test.for(HOPS)("%s: a broken connection to %s is UNAVAILABLE", { timeout: 60_000 }, async ([kind, host]) => {
  const { flags = [] } = working[kind] ?? {};
  await addFault({ match: host, reset: true });
  const { exitCode, stdout, stderr } = await run(["token", url, ...flags]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: "" });
  expect(stderr).toMatch(new RegExp(`^Error: Can't reach ${host}: .*\\[UNAVAILABLE\\]`));
});

test.for(HOPS)("%s: a truncated response of %s is an error without a stack trace", { timeout: 60_000 }, async ([kind, host]) => {
  const { flags = [] } = working[kind] ?? {};
  await addFault({ match: host, truncate: 40 });
  const { exitCode, stdout, stderr } = await run(["token", url, ...flags]);
  expect([3, 7]).toContain(exitCode);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^Error: .*\. \[(?:TOKEN_REFUSED|UNAVAILABLE)\]\n/);
  expect(stderr).not.toMatch(/\n\s+at |eyJ|ya29/);
});

test("a page instead of a token is reported as a missing token", { timeout: 60_000 }, async () => {
  const page = await world.serve(
    (_, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<h1>Sign in to the Wi-Fi</h1>"),
  );
  const file = write("faults/of-the-job", token());
  const broken = [
    { ...(await world.login()), token_uri: `${page}/token` },
    federation({ file }, { token_url: page }),
    federation(
      { file },
      { service_account_impersonation_url: `${page}/v1/projects/-/serviceAccounts/${world.deployer}:generateAccessToken` },
    ),
  ];
  for (const [number, content] of broken.entries()) {
    const { exitCode, stdout, stderr } = await run(["token", url, "--credentials", write(`faults/page-${number}.json`, content)]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "" });
    expect(stderr).toMatch(new RegExp(`^Error: ${new URL(page).host} returned no (?:ID )?token\\. \\[TOKEN_REFUSED\\]`));
  }
});

test("--timeout ends the wait for the source of a workload's token", { timeout: 60_000 }, async () => {
  const silent = await world.serve(() => {});
  const file = write("faults/token", token());
  const sources = [
    federation({ url: silent }),
    federation({ executable: { command: `"${execPath}" -e "setTimeout(()=>{},60000)"` } }),
    federation({ file }, { token_url: silent }),
    federation(
      { file },
      { service_account_impersonation_url: `${silent}/v1/projects/-/serviceAccounts/${world.deployer}:generateAccessToken` },
    ),
  ];
  for (const [number, source] of sources.entries()) {
    const path = write(`faults/${number}.json`, source);
    const started = performance.now();
    const { exitCode, stderr } = await run(["token", url, "--credentials", path, "--timeout", "1s"], {
      GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: "1",
    });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 7, stderr: expect.stringContaining("[TIMEOUT]") });
    // Much less than the half minute that each of them gets without it.
    expect(performance.now() - started).toBeLessThan(15_000);
  }
});
