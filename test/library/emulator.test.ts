import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { startEmulator } from "../../src/library/emulator.ts";
import { folder } from "../helpers/command-line.ts";
import { HELLO, tinyService } from "../helpers/emulator.ts";

const emulator = await startEmulator({ project: "my-project", engine: "process" });
afterAll(() => emulator.close());
const root = fileURLToPath(new URL("../..", import.meta.url));

test("a folder is deployed, rejects a stranger, and accepts a member", async () => {
  const { name, url, revision } = await emulator.deploy(folder(tinyService(HELLO)), { name: "hello" });
  expect({ name, revision }).toEqual({ name: "hello", revision: expect.stringMatching(/^hello-00001-/) });
  const credentials = await emulator.createKey("first-caller");
  const call = async () => {
    const token = await emulator.fetchIdToken({ credentials, audience: url });
    return emulator.fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  };
  expect([(await emulator.fetch(url)).status, (await call()).status]).toEqual([403, 403]);
  await emulator.grant(name, "first-caller@my-project.iam.gserviceaccount.com");
  expect(await (await call()).json()).toEqual({ message: "Hello World from authenticated Cloud Run!" });
  await emulator.revoke(name, "first-caller@my-project.iam.gserviceaccount.com");
  expect((await call()).status).toBe(403);
});

test("a folder's settings name its service, which can be public and have environment variables", async () => {
  const server = `require("node:http").createServer((_, response) => response.end(process.env.GREETING)).listen(process.env.PORT, process.env.HOST);`;
  const directory = folder({ ...tinyService(server), "cloudrun-oauth.json": '{"service": "greeter"}' });
  const { name, url } = await emulator.deploy(directory, { allowUnauthenticated: true, env: { GREETING: "hello" } });
  expect([name, await (await emulator.fetch(url)).text()]).toEqual(["greeter", "hello"]);
  const nameless = join(folder({ "No_name/Dockerfile": "FROM scratch" }), "No_name");
  await expect(emulator.deploy(nameless)).rejects.toMatchObject({
    code: "USAGE",
    hint: "Set the name option.",
  });
  await expect(emulator.deploy(folder({ Dockerfile: "FROM scratch\nRUN exit 1" }), { name: "broken" })).rejects.toMatchObject({
    code: "BUILD_FAILED",
  });
});

test("each key file is a new one of the account, readable by its owner only", async () => {
  const [one, two] = [
    await emulator.createKey("another-caller"),
    await emulator.createKey("another-caller@my-project.iam.gserviceaccount.com"),
  ];
  expect(one).not.toBe(two);
  expect(statSync(one).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(two, "utf8"))).toMatchObject({ client_email: "another-caller@my-project.iam.gserviceaccount.com" });
});

test("faults can be injected and the clock moved", async () => {
  const { url } = await emulator.deploy(folder(tinyService(HELLO)), { name: "faulty", allowUnauthenticated: true });
  await emulator.addFault({ match: "faulty-*.run.app", status: 503, retryAfter: 5, latency: 10, times: 1 });
  const refused = await emulator.fetch(url);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
  expect((await emulator.fetch(url)).status).toBe(200);
  await emulator.addFault({ match: "oauth2.googleapis.com/token", reset: true });
  const credentials = await emulator.createKey("third-caller");
  await expect(emulator.fetchIdToken({ credentials, audience: url })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await emulator.clearFaults();
  await emulator.moveClock(2 * 3_600_000);
  await expect(emulator.fetchIdToken({ credentials, audience: url })).rejects.toMatchObject({ code: "CLOCK_SKEW" });
  await emulator.moveClock(0);
  expect(await emulator.fetchIdToken({ credentials, audience: url })).toMatch(/^ey/);
  await expect(emulator.addFault({ match: "**" })).rejects.toMatchObject({ code: "USAGE" });
});

test("its variables make another program use the emulator", async () => {
  const { stdout } = await promisify(execFile)(
    "curl",
    ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "https://run.googleapis.com/v1/projects/my-project/locations"],
    { env: { ...process.env, ...emulator.env } },
  );
  expect(stdout).toBe("401");
});

test.for([
  ["import", ["--input-type=module", "-e", 'import { startEmulator } from "cloudrun-oauth/emulator"; RUN']],
  ["require", ["--input-type=commonjs", "-e", 'const { startEmulator } = require("cloudrun-oauth/emulator"); RUN']],
] as const)("%s imports it from the package, a given folder stays, and the process ends after close", async ([, argv]) => {
  const directory = join(folder(), "kept");
  const run = `startEmulator({ directory: process.env.DIRECTORY, engine: "process" }).then(async (emulator) => { console.log(emulator.project); await emulator.close(); });`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    argv.map((argument) => argument.replace("RUN", run)),
    {
      cwd: root,
      env: { ...process.env, DIRECTORY: directory, NODE_NO_WARNINGS: "1" },
    },
  );
  expect(stdout).toBe("cloudrun-local\n");
  expect(existsSync(join(directory, "state.jsonl"))).toBe(true);
});
