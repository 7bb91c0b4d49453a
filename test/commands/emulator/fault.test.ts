import { afterAll, expect, test } from "vitest";
import { runCli } from "../../helpers/command-line.ts";
import { startEmulator } from "../../helpers/emulator.ts";

const emulator = await startEmulator(afterAll);
const cli = (...argv: string[]) => runCli(["emulator", ...argv], { env: { CLOUDRUN_OAUTH_EMULATOR: emulator.url } });
const read = () => emulator.request("GET", "cloudresourcemanager.googleapis.com", `/v1/projects/${emulator.project}`);

test("a fault is added, triggered, shown, and removed", async () => {
  const added = await cli("fault", "add", "--match", "/v1/projects/*", "--method", "GET", "--status", "503", "--times", "2");
  expect(added).toEqual({ exitCode: 0, stderr: "", stdout: "1\tGET /v1/projects/*\tstatus 503\t2\t0\n" });
  expect([(await read()).status, (await read()).status, (await read()).status]).toEqual([503, 503, 200]);
  expect(JSON.parse((await cli("fault", "list", "--json")).stdout)).toEqual({
    faults: [{ id: 1, match: "/v1/projects/*", method: "GET", status: 503, times: 0, struck: 2 }],
  });
  expect(await cli("fault", "remove", "1")).toEqual({ exitCode: 0, stdout: "", stderr: "No active faults.\n" });
  expect(await cli("fault", "remove", "1")).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("Fault 1 not found.") });
});

test("all effects are shown, and clear removes them", async () => {
  const { stdout } = await cli("fault", "add", "--match", "**", "--latency", "2s", "--status", "429", "--retry-after", "5");
  expect(stdout).toMatch(/^\d+\t\*\*\tlatency 2000 ms, status 429, retry after 5 s\tunlimited\t0\n$/);
  expect((await cli("fault", "add", "--match", "**", "--truncate", "7")).stdout).toContain("\ttruncated after 7 bytes\t");
  expect((await cli("fault", "add", "--match", "**", "--reset")).stdout).toContain("\tconnection reset\t");
  expect(await cli("fault", "clear", "--json")).toMatchObject({ exitCode: 0, stdout: '{\n  "faults": []\n}\n' });
  expect((await read()).status).toBe(200);
});

test("a fault that isn't valid is rejected", async () => {
  expect(await cli("fault", "add", "--match", "**")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("one of status, latency_ms, reset, and truncate is required"),
  });
  expect(await cli("fault", "add", "--match", "**", "--status", "5xx")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('Invalid code "5xx" for --status. Use a whole number.'),
  });
});

test("the clock changes by durations and to times, and the emulator's tokens and dates follow it", async () => {
  const ahead = async () => Math.round((Date.parse((await read()).headers.date as string) - Date.now()) / 60_000);
  expect(JSON.parse((await cli("clock", "--json")).stdout)).toMatchObject({ shift_ms: 0 });
  expect((await cli("clock", "+20m")).stdout).toMatch(/^\d{4}-.*Z \(\+1200 s\)\n$/);
  expect(await ahead()).toBe(20);
  expect((await cli("clock", "-30s")).stdout).toContain(" (+1170 s)\n");
  expect((await cli("clock", "+2h")).exitCode).toBe(0);
  // The operator's access token is an hour old and more by now.
  expect((await read()).status).toBe(401);
  const there = JSON.parse((await cli("clock", "2030-01-31T12:00:00Z", "--json")).stdout) as { now: string };
  expect(there.now).toMatch(/^2030-01-31T12:00:0/);
  expect((await cli("clock", "reset")).stdout).toMatch(/^\d{4}-\S+Z\n$/);
  expect((await read()).status).toBe(200);
  expect(await ahead()).toBeCloseTo(0);
  expect(await cli("clock", "--sideways")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('Invalid clock change "--sideways".'),
  });
});
