import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { failure, HOME, newcomer, startDetached as start } from "../helpers/bin.ts";
import { isRunning } from "../helpers/process-engine.ts";

const curl = spawnSync("curl", ["--version"]).status === 0;

test.skipIf(!curl)(`env brings a shell's curl to the emulator${curl ? "" : " (skipped: there is no curl)"}`, async () => {
  const user = newcomer();
  const { url } = await start(user);
  const script = `eval "$("$NODE" "$BIN" emulator env ${HOME.join(" ")})" && curl -sS https://run.googleapis.com/v1/projects/$PROJECT_ID/locations && echo "$CLOUDRUN_OAUTH_EMULATOR"`;
  const { stdout, stderr } = spawnSync("sh", ["-c", script], {
    cwd: user.work,
    env: { ...user.env, NODE: process.execPath, BIN: user.bin, ALL_PROXY: "http://127.0.0.1:1" },
  });
  expect(stderr.toString()).toBe("");
  expect(stdout.toString()).toContain('"status": "UNAUTHENTICATED"');
  expect(stdout.toString()).toMatch(new RegExp(`${url}\n$`));
});

test("exec returns its program's exit code, and leaves a running emulator alone", async () => {
  const user = newcomer();
  const { pid, url } = await start(user);
  const endings = [
    ["exit 0", 0],
    ["exit 3", 3],
    ["kill -TERM $$", 143],
    ["kill -KILL $$", 137],
  ] as const;
  for (const [script, expected] of endings) {
    const { exitCode, stdout } = await user.run([
      "emulator",
      "exec",
      ...HOME,
      "--",
      "sh",
      "-c",
      `echo "$CLOUDRUN_OAUTH_EMULATOR"; ${script}`,
    ]);
    expect({ script, exitCode, stdout }).toEqual({ script, exitCode: expected, stdout: `${url}\n` });
  }
  expect(isRunning(pid)).toBe(true);
});

test("exec starts an emulator if none runs, and leaves nothing behind", async () => {
  const user = newcomer();
  const { exitCode, stdout } = await user.run(["emulator", "exec", "--", "sh", "-c", 'echo "$PROJECT_ID"; exit 3']);
  expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "cloudrun-local\n" });
  expect([user.processes(), readdirSync(user.temporary)]).toEqual([[], []]);
});

test("exec of a missing program, or of none, is refused", async () => {
  const user = newcomer();
  expect(await failure(user, ["emulator", "exec", "--", "no-such-program"])).toMatchObject({
    code: "USAGE",
    message: expect.stringContaining("no-such-program"),
  });
  expect(await failure(user, ["emulator", "exec"])).toMatchObject({ code: "USAGE", message: "No command specified." });
  expect(readdirSync(user.temporary)).toEqual([]);
});

const WAITING = `trap 'echo TERM; exit 7' TERM; trap 'echo INT; exit 9' INT; echo ready; while :; do sleep 0.05; done`;

test("exec forwards SIGTERM to its program, which can end in its own way", async () => {
  const user = newcomer();
  const exec = user.start(["emulator", "exec", "--", "sh", "-c", WAITING]);
  await new Promise((ready) => exec.stdout.once("data", ready));
  exec.kill("SIGTERM");
  const { exitCode, stdout } = await exec;
  expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: "ready\nTERM\n" });
  expect([user.processes(), readdirSync(user.temporary)]).toEqual([[], []]);
});

test("Ctrl-C, which a terminal sends to both, ends the program and exec", async () => {
  const user = newcomer();
  const exec = user.start(["emulator", "exec", "--", "sh", "-c", WAITING], { detached: true });
  await new Promise((ready) => exec.stdout.once("data", ready));
  process.kill(-(exec.pid ?? 0), "SIGINT");
  const { exitCode, stdout } = await exec;
  expect([7, 9]).toContain(exitCode);
  expect(stdout).toMatch(/^ready\n(INT|TERM)\n/);
  expect([user.processes(), readdirSync(user.temporary)]).toEqual([[], []]);
});

test("exec inside exec has an emulator, and returns the exit code", async () => {
  const user = newcomer();
  const inner = `"$NODE" "$BIN" emulator exec -- sh -c 'echo "$CLOUDRUN_OAUTH_EMULATOR"; exit 5'; code=$?; echo "$CLOUDRUN_OAUTH_EMULATOR"; exit $code`;
  const { exitCode, stdout } = await user.run(["emulator", "exec", "--", "sh", "-c", inner], {
    env: { NODE: process.execPath, BIN: user.bin },
  });
  expect(exitCode).toBe(5);
  expect(stdout).toMatch(/^(http:\/\/127\.0\.0\.1:\d+\n){2}$/);
  expect([user.processes(), readdirSync(user.temporary)]).toEqual([[], []]);
});
