import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { hasExited } from "../../src/emulator/index.ts";
import { failure, HOME, newcomer, operateFor, startDetached as start, type User } from "../helpers/bin.ts";
import { HELLO, tinyService } from "../helpers/emulator.ts";
import { expectDocumented } from "../helpers/json-document.ts";

async function status(user: User): Promise<Record<string, unknown>> {
  const { exitCode, stdout } = await user.run(["emulator", "status", "--json", ...HOME]);
  expect(exitCode).toBe(0);
  return JSON.parse(stdout);
}

const NOT_RUNNING = { running: false, pid: null, url: null, project: null, data_dir: null, engine: null, services: [] };

/** The errors of a start in the background and of one in the foreground, each with its code. */
async function startErrors(user: User, port = 0): Promise<string[]> {
  const errors: string[] = [];
  for (const flags of [["--detach"], []]) {
    const { code, message, exit_code } = await failure(user, ["emulator", "start", "--port", String(port), ...HOME, ...flags]);
    errors.push(`${exit_code} ${code}: ${message}`);
  }
  return errors;
}

const bothWith = (message: string) => Array.from({ length: 2 }, () => expect.stringContaining(`1 EMULATOR_FAILED: ${message}`));

test("an emulator starts, shows its services, stops with them, and has them again at the next start", async () => {
  const user = newcomer();
  expect(await status(user)).toEqual(NOT_RUNNING);
  const { pid, url } = await start(user);
  const data_dir = join(user.work, "emulator", "data");
  const engine = { name: "process", program: null, passed_over: [] };
  expect(await status(user)).toEqual({ running: true, pid, url, project: "cloudrun-local", data_dir, engine, services: [] });

  const operator = await operateFor(user);
  const service = await operator.deploy("hello", tinyService(HELLO));
  const services = [{ name: "hello", region: "us-central1", url: service.url, ready: true }];
  expect((await status(user))["services"]).toEqual(services);
  expect((await operator.request("GET", service.host, "/", { token: "" })).status).toBe(403);
  expect(user.processes().some((line) => line.includes("server.js"))).toBe(true);

  const stopped = await user.run(["emulator", "stop", ...HOME]);
  expect(stopped).toEqual({ exitCode: 0, stdout: `Stopped the emulator at ${url}.\n`, stderr: "" });
  expect(user.processes()).toEqual([]);
  expect(await status(user)).toEqual(NOT_RUNNING);
  expect(await failure(user, ["emulator", "stop", ...HOME])).toMatchObject({ code: "EMULATOR_NOT_RUNNING", exit_code: 6 });

  await start(user);
  expect((await status(user))["services"]).toEqual(services);
  const again = await operateFor(user);
  await again.grant("hello", `serviceAccount:caller@${again.project}.iam.gserviceaccount.com`);
  const answer = await again.request("GET", service.host, "/", { token: await again.idToken(service.url) });
  expect([answer.status, answer.json]).toEqual([200, { message: "Hello World from authenticated Cloud Run!" }]);
});

test("only the user can read the emulator's data", async () => {
  const user = newcomer();
  const { data_dir } = await start(user);
  expect((statSync(data_dir).mode & 0o777).toString(8)).toBe("700");
  const keys = join(data_dir, "keys");
  // The issuer's key is still being made when the emulator answers.
  await expect
    .poll(() => readdirSync(keys), { timeout: 20_000 })
    .toEqual(expect.arrayContaining(["ca.json", "cloudrun-local-caller.json", "cloudrun-local-operator.json", "issuer.pem"]));
  for (const entry of readdirSync(keys, { recursive: true, withFileTypes: true })) {
    const { mode } = statSync(join(entry.parentPath, entry.name));
    expect([entry.name, (mode & 0o777).toString(8)]).toEqual([entry.name, entry.isDirectory() ? "700" : "600"]);
  }
});

test("a second start in one data directory is refused, and names the first", async () => {
  const user = newcomer();
  const { pid, url } = await start(user);
  expect(await startErrors(user)).toEqual(bothWith(`The emulator is already running at ${url} (pid ${pid}).`));
  expect((await status(user))["pid"]).toBe(pid);
});

test.for([
  ["in a new place", undefined],
  ["where a crash left a pid file", JSON.stringify({ pid: 2 ** 22 + 1, url: "http://127.0.0.1:1" })],
])("of three simultaneous starts exactly one succeeds, %s", async ([, left]) => {
  const user = newcomer();
  if (left !== undefined) leavePidFile(user, left);
  const argv = ["emulator", "start", "--detach", "--port", "0", "--json", ...HOME];
  const all = await Promise.all([user.run(argv), user.run(argv), user.run(argv)]);
  const [won, ...lost] = all.toSorted((a, b) => Number(a.exitCode) - Number(b.exitCode));
  expect([won?.exitCode, ...lost.map(({ exitCode, stderr }) => [exitCode, stderr.includes('"code":"EMULATOR_FAILED"')])]).toEqual([
    0,
    [1, true],
    [1, true],
  ]);
  expectDocumented("emulator start", JSON.parse(won?.stdout ?? ""));
  expect((await status(user))["pid"]).toBe(JSON.parse(won?.stdout ?? "").pid);
  expectDocumented("emulator stop", JSON.parse((await user.run(["emulator", "stop", "--json", ...HOME])).stdout));
  expect(user.processes()).toEqual([]);
});

function leavePidFile(user: User, text: string): void {
  mkdirSync(join(user.work, "emulator"), { recursive: true });
  writeFileSync(join(user.work, "emulator", "emulator.json"), text);
}

test("a port that is in use is named", async () => {
  const user = newcomer();
  const port = await listen(createServer());
  expect(await startErrors(user, port)).toEqual(bothWith(`Port ${port} is already in use.`));
  expect(user.processes()).toEqual([]);
  await start(user);
});

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

test("after kill -9 no service runs, and the next start has all data", async () => {
  const user = newcomer();
  const { pid } = await start(user);
  const operator = await operateFor(user);
  const { host } = await operator.deploy("hello", tinyService(HELLO));
  process.kill(pid, "SIGKILL");
  await expect.poll(() => user.processes(), { timeout: 20_000 }).toEqual([]);
  expect(await status(user)).toEqual(NOT_RUNNING);

  await start(user);
  expect((await status(user))["services"]).toMatchObject([{ name: "hello", ready: true }]);
  expect((await (await operateFor(user)).request("GET", host, "/", { token: "" })).status).toBe(403);
});

test("a pid file with another process's pid doesn't prevent a start, and stop doesn't kill that process", async () => {
  const user = newcomer();
  const stranger = await listen(createServer((_, response) => response.end(JSON.stringify({ pid: 1 }))));
  const left = [
    { pid: process.pid, url: `http://127.0.0.1:${stranger}` },
    { pid: process.pid, url: "http://127.0.0.1:1" },
    { pid: 2 ** 22 + 1 },
  ];
  for (const text of [...left.map((file) => JSON.stringify(file)), "", "not JSON", "null"]) {
    leavePidFile(user, text);
    expect([text, await status(user)]).toEqual([text, NOT_RUNNING]);
  }
  leavePidFile(user, JSON.stringify(left[0]));
  expect(await failure(user, ["emulator", "stop", ...HOME])).toMatchObject({ code: "EMULATOR_NOT_RUNNING" });
  await start(user);
});

test("a zombie process counts as ended", async () => {
  // The shell becomes a program that never asks after the child that it has inherited.
  const parent = spawn("sh", ["-c", "sleep 0.01 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const pid = Number(String((await once(parent.stdout, "data"))[0]));
  await expect.poll(() => hasExited({ pid })).toBe(true);
});

test("reset deletes everything but keeps the key files valid; of a stopped emulator it deletes all data", async () => {
  const user = newcomer();
  const { data_dir } = await start(user);
  const operator = await operateFor(user);
  const key = readFileSync(join(data_dir, "keys", "cloudrun-local-caller.json"), "utf8");
  await operator.deploy("hello", tinyService(HELLO));

  expect(await failure(user, ["emulator", "reset", ...HOME])).toMatchObject({ code: "USAGE" });
  expect((await status(user))["services"]).toHaveLength(1);
  const reset = await user.run(["emulator", "reset", "--yes", ...HOME]);
  expect(reset).toEqual({ exitCode: 0, stdout: "Deleted all emulator data.\n", stderr: "" });
  expect((await status(user))["services"]).toEqual([]);
  expect(user.processes().filter((line) => line.includes("server.js"))).toEqual([]);
  expect(readFileSync(join(data_dir, "keys", "cloudrun-local-caller.json"), "utf8")).toBe(key);
  expect((await operateFor(user)).token).toMatch(/^ya29\./);

  await user.run(["emulator", "stop", ...HOME]);
  expect((await user.run(["emulator", "reset", "--yes", ...HOME])).exitCode).toBe(0);
  expect(existsSync(data_dir)).toBe(false);
});

test("an ephemeral emulator leaves nothing behind", async () => {
  const user = newcomer();
  const { data_dir } = await start(user, "--ephemeral");
  expect(data_dir.startsWith(user.temporary)).toBe(true);
  await user.run(["emulator", "stop", ...HOME]);
  expect([user.processes(), readdirSync(user.temporary)]).toEqual([[], []]);
});

test("a data directory that is a file is named", async () => {
  const user = newcomer();
  writeFileSync(join(user.work, "emulator"), "a file");
  expect(await startErrors(user)).toEqual(bothWith(`${join(user.work, "emulator")} isn't a directory.`));
});

/** Mounts a small file system where a new user's emulator lives; undefined where that is not allowed. */
function mountHome(size: string): { user: User; home: string; remount: (options: string) => void } | undefined {
  const user = newcomer();
  const home = join(user.work, "emulator");
  mkdirSync(home, { mode: 0o700 });
  const shell = (line: string) => spawnSync("sh", ["-c", line], { env: { ...user.env, DISK: home } }).status === 0;
  if (!shell(`mount -t tmpfs -o size=${size},mode=700 tmpfs "$DISK"`)) return undefined;
  onTestFinished(async () => {
    await user.run(["emulator", "stop", ...HOME]);
    shell('umount -l "$DISK"');
  });
  return { user, home, remount: (options) => void shell(`mount -o remount,${options} "$DISK"`) };
}

test("a full disk fails the upload, but neither the emulator nor its data", async (context) => {
  const mounted = mountHome("2m");
  if (!mounted) return context.skip("only root may mount a small disk");
  const { user, home } = mounted;
  await start(user);
  const operator = await operateFor(user);
  const { request, project } = operator;
  const upload = (name: string, size: number) =>
    request("POST", "storage.googleapis.com", `/upload/storage/v1/b/bucket/o?uploadType=media&name=${name}`, { body: Buffer.alloc(size) });
  await request("POST", "storage.googleapis.com", `/storage/v1/b?project=${project}`, { body: { name: "bucket" } });
  expect((await upload("small", 1000)).status).toBe(200);
  const large = await upload("large", 4 * 1024 * 1024);
  expect([large.status, large.json["error"].message]).toEqual([503, expect.stringMatching(/disk .*full/)]);
  expect((await upload("small-2", 1000)).status).toBe(200);

  // Now there is no room for a line of the journal either.
  const rest = spawnSync("sh", ["-c", "cat /dev/zero > filler"], { cwd: home });
  expect(rest.status).not.toBe(0);
  const make = (number: number) =>
    request("POST", "storage.googleapis.com", `/storage/v1/b?project=${project}`, { body: { name: `bucket-${number}` } });
  let number = 1;
  let refused = await make(number);
  // The journal's last block may have room for a few.
  while (refused.status === 200 && number < 100) refused = await make((number += 1));
  expect([refused.status, refused.json["error"].message]).toEqual([503, expect.stringMatching(/disk .*full/)]);
  expect((await request("GET", "storage.googleapis.com", `/storage/v1/b/bucket-${number}`)).status).toBe(404);

  await user.run(["emulator", "stop", ...HOME]);
  expect(await startErrors(user)).toEqual(bothWith("The disk that contains"));
  rmSync(join(home, "filler"));
  await start(user);
  const after = await operateFor(user);
  const list = await after.request("GET", "storage.googleapis.com", "/storage/v1/b/bucket/o");
  expect(list.json["items"].map(({ name }: { name: string }) => name)).toEqual(["small", "small-2"]);
});

test("a data directory that can't be written to is named", async (context) => {
  const mounted = mountHome("2m");
  if (!mounted) return context.skip("only root may mount a disk that is read-only");
  mounted.remount("ro");
  expect(await startErrors(mounted.user)).toEqual(bothWith(`Can't write to ${mounted.home}`));
});
