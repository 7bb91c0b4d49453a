import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { CliError } from "../src/errors/cli-error.ts";
import { nextStep } from "../src/errors/next-step.ts";
import { EXIT_CODES, type ErrorCode } from "../src/errors/exit-codes.ts";
import { run } from "../src/main.ts";
import { reportError } from "../src/cli/report-error.ts";
import { fakeGcloud, folder, runCli } from "./helpers/command-line.ts";

const BIN = fileURLToPath(new URL("../bin/cloudrun-oauth.js", import.meta.url));

async function printError(error: unknown, argv: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const stderr = new PassThrough();
  const exitCode = await reportError(error, { stderr, env, self: [], cwd: "/" }, argv);
  return { exitCode, stderr: String(stderr.read() ?? "") };
}

test.for(Object.entries(EXIT_CODES) as [ErrorCode, number][])(
  "%s is printed with its message and its hint, and exits with %i",
  async ([code, exitCode]) => {
    const error = new CliError(code, "It went wrong.", { hint: "Do this.", next: [nextStep("To see more", "list")] });
    const tag = code === "BUG" ? "" : ` [${code}]`;
    const { stderr, ...rest } = await printError(error);
    expect(rest).toEqual({ exitCode });
    const printed = `Error: It went wrong.${tag}\n  Do this.\n  To see more:\n    cloudrun-oauth list\n`;
    // The person who pressed Ctrl-C knows what ended the command.
    expect(stderr.startsWith(code === "INTERRUPTED" ? "" : printed)).toBe(true);
  },
);

test("an error that isn't a CliError is a bug: it is printed with its stack, and exits with 1", async () => {
  const { exitCode, stderr } = await printError(new TypeError("x is not a function"));
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /^Error: x is not a function\n {2}This is a bug in cloudrun-oauth. Please report it .*\nTypeError: x is not a function\n {4}at .*main\.test\.ts/,
  );
});

test("under --json the last line of stderr is the error, and stdout is empty", async () => {
  const { exitCode, stdout, stderr } = await runCli(["deploy", "No_Good", "--json"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(JSON.parse(stderr.trimEnd().split("\n").at(-1)!)).toEqual({
    error: {
      code: "SETTINGS_INVALID",
      message: 'Invalid service "No_Good".',
      hint: expect.stringContaining("Use at most 49 lowercase letters"),
      next: [],
      exit_code: 2,
      details: { setting: "service" },
    },
  });
});

test("--verbose shows the causes", async () => {
  const error = new CliError("UNAVAILABLE", "Not there.", { cause: new Error("outer", { cause: new Error("inner") }) });
  expect((await printError(error)).stderr).toBe("Error: Not there. [UNAVAILABLE]\n");
  expect((await printError(error, ["-v"])).stderr).toBe("Error: Not there. [UNAVAILABLE]\nCause: outer\nCause: inner\n");
});

test("an error never shows a key or a token", async () => {
  const jwt = `${Buffer.from('{"alg":"RS256"}').toString("base64url")}.${Buffer.from('{"sub":"1"}').toString("base64url")}.c2lnbmF0dXJl`;
  const pem = "-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\\n-----END PRIVATE KEY-----";
  const secrets = [
    jwt,
    pem,
    pem.replaceAll("\\n", "\n"),
    "ya29.c.b0AXv0zTPq-secret",
    `Bearer ${jwt}`,
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEcutoff",
  ];
  for (const secret of secrets) {
    const error = new CliError("TOKEN_REFUSED", `said ${secret}`, { hint: secret, cause: new Error(secret), details: { said: secret } });
    const { stderr } = await printError(error, ["--json", "--verbose"], { GITHUB_ACTIONS: "true" });
    for (const part of ["c2lnbmF0dXJl", "MIIE", "b0AXv0zTPq"]) expect(stderr).not.toContain(part);
    expect(JSON.parse(stderr.trimEnd().split("\n").at(-1)!)).toHaveProperty("error.code", "TOKEN_REFUSED");
  }
});

test("on GitHub Actions an error is also an annotation, on one line", async () => {
  const error = new CliError("NOT_FOUND", "100% gone:\nthere is nothing.", { hint: "Look elsewhere." });
  const { stderr } = await printError(error, [], { GITHUB_ACTIONS: "true" });
  expect(stderr).toContain("\n::error title=cloudrun-oauth NOT_FOUND::100%25 gone:%0Athere is nothing.%0ALook elsewhere.\n");
});

test("errors have color on terminals: NO_COLOR, --no-color and TERM=dumb turn it off, FORCE_COLOR on", async () => {
  const error = new CliError("USAGE", "No.");
  const isColored = async (env: Record<string, string>, isTTY: boolean, argv: string[] = []) => {
    const stderr = Object.assign(new PassThrough(), { isTTY });
    await reportError(error, { stderr, env, self: [], cwd: "/" }, argv);
    return String(stderr.read()).includes("\u001b[");
  };
  expect(await Promise.all([isColored({}, true), isColored({}, false), isColored({ FORCE_COLOR: "1" }, false)])).toEqual([
    true,
    false,
    true,
  ]);
  const off = [
    isColored({ NO_COLOR: "1" }, true),
    isColored({ TERM: "dumb" }, true),
    isColored({}, true, ["--no-color"]),
    isColored({ FORCE_COLOR: "0" }, true),
  ];
  expect(await Promise.all(off)).toEqual([false, false, false, false]);
});

test("--timeout ends a command that takes longer, and its child processes", async () => {
  const { env, pidFile } = endlessGcloud();
  const { exitCode, stderr } = await runCli(["describe", "hello", "-p", "my-project", "--timeout", "4s", "--url"], { env });
  expect(exitCode).toBe(7);
  expect(stderr).toContain("Error: Timed out after 4 s. [TIMEOUT]");
  await waitForExit(pidFile);
});

test("an interrupt ends a command, and its child processes", async () => {
  const { env, pidFile } = endlessGcloud();
  const stop = new AbortController();
  const running = runCli(["describe", "hello", "-p", "my-project", "--url"], { env, signal: stop.signal });
  await waitForPid(pidFile);
  stop.abort(new CliError("INTERRUPTED", "Interrupted."));
  expect((await running).exitCode).toBe(130);
  await waitForExit(pidFile);
});

test("Ctrl-C ends the process in order, and it exits with 130", async () => {
  const { env, pidFile } = endlessGcloud();
  const child = execFile(process.execPath, [BIN, "describe", "hello", "-p", "my-project", "--url"], {
    env: { ...env, HOME: folder() },
    cwd: folder(),
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stderr = "";
  child.stderr?.on("data", (chunk: string) => (stderr += chunk));
  await waitForPid(pidFile);
  child.kill("SIGINT");
  expect(await once(child, "close")).toEqual([130, null]);
  expect(stderr).not.toContain("Error");
  await waitForExit(pidFile);
});

test("if the reader of stdout goes away, the command ends silently", async () => {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const env = { HOME: folder(), ...fakeGcloud() };
  stdout.write = () => {
    queueMicrotask(() => stdout.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" })));
    return false;
  };
  const exitCode = await run(["config", "list"], { stdin: new PassThrough(), stdout, stderr, env, cwd: folder(), self: [] });
  expect([exitCode, stderr.read()]).toEqual([0, null]);
});

test("if the reader of stdout goes away while the last line is written, nothing is reported", async () => {
  const stdout = new PassThrough();
  stdout.write = () => {
    setImmediate(() => stdout.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" })));
    return false;
  };
  const env = { HOME: folder(), ...fakeGcloud() };
  const exitCode = await run(["config", "list"], {
    stdin: new PassThrough(),
    stdout,
    stderr: new PassThrough(),
    env,
    cwd: folder(),
    self: [],
  });
  // Without a listener on stdout, the error event throws.
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect([exitCode, stdout.listenerCount("error")]).toEqual([0, 1]);
});

/** What the built program prints, run by Node with these arguments before it. */
function runBuilt(argv: readonly string[], nodeArguments: readonly string[] = []) {
  return new Promise<object>((resolve) =>
    execFile(process.execPath, [...nodeArguments, BIN, ...argv], (error, stdout, stderr) =>
      resolve({ exitCode: error?.code ?? 0, stdout, stderr }),
    ),
  );
}

const { version } = JSON.parse(readFileSync(fileURLToPath(new URL("../package.json", import.meta.url)), "utf8")) as { version: string };

test.for(["--version", "-V", "version"])("the built program prints its version for %s", async (argument) => {
  expect(await runBuilt([argument])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: "" });
});

test.for([["help"], ["help", "invoke"], ["help", "env", "set"], []])("the built program prints help for %j", async (argv) => {
  expect(await runBuilt(argv)).toEqual({ exitCode: 0, stdout: expect.stringContaining("\nUsage: cloudrun-oauth "), stderr: "" });
});

test.for([
  ["18.20.8", false],
  ["20.18.3", false],
  ["20.19.0", true],
  ["21.7.3", false],
  ["22.11.0", false],
  ["22.12.0", true],
  ["24.0.0", true],
] as const)("the built program looks at Node's version first: %s", async ([node, isSupported]) => {
  const preload = join(
    folder({ "preload.cjs": `Object.defineProperty(process, "versions", { value: { node: "${node}" } });` }),
    "preload.cjs",
  );
  const stderr = `Error: cloudrun-oauth requires Node.js 20.19+ or 22.12+, not ${node}. [NODE_OUTDATED]\n`;
  expect(await runBuilt(["--version"], ["--require", preload])).toEqual(
    isSupported ? { exitCode: 0, stdout: `${version}\n`, stderr: "" } : { exitCode: EXIT_CODES.NODE_OUTDATED, stdout: "", stderr },
  );
});

/** A gcloud that runs until it is killed, as the child of a shell: the real one is one too. */
function endlessGcloud() {
  const directory = folder();
  const pidFile = join(directory, "pid");
  mkdirSync(join(directory, "bin"));
  writeFileSync(join(directory, "bin", "gcloud"), `#!/bin/sh\n/bin/sleep 600 &\necho $! > ${pidFile}\nwait\n`, { mode: 0o755 });
  return { env: { PATH: join(directory, "bin") }, pidFile };
}

async function waitForPid(pidFile: string): Promise<number> {
  for (;;) {
    try {
      const pid = Number(readFileSync(pidFile, "utf8"));
      if (pid > 0) return pid;
    } catch {
      // The file doesn't exist yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function waitForExit(pidFile: string): Promise<void> {
  const pid = await waitForPid(pidFile);
  await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
