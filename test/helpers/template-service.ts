import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, onTestFinished } from "vitest";
import { copyTemplate } from "../../src/commands/init/copy-template.ts";
import { freePort } from "./process-engine.ts";

const run = promisify(execFile);

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** A new folder, which is removed after the test file. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "template-"));
  folders.push(folder);
  return folder;
}

const installed = new Map<string, Promise<string>>();

/** The path of a copy of the template with its dependencies installed. Tests share it: don't change it. */
export function install(template: string): Promise<string> {
  const made =
    installed.get(template) ??
    (async () => {
      const directory = await newFolder();
      await copyTemplate({ template, directory, service: "my-service" });
      if (existsSync(join(directory, "package.json"))) {
        await run("npm", ["ci", "--omit=dev", "--no-audit", "--no-fund"], { cwd: directory });
      }
      return directory;
    })();
  installed.set(template, made);
  return made;
}

/** Runs the Dockerfile's command with local programs until the test ends. */
export async function start(directory: string, python: string, environment: Readonly<Record<string, string>> = {}) {
  const dockerfile = await readFile(join(directory, "Dockerfile"), "utf8");
  const [program, ...args] = JSON.parse(/^CMD (.*)$/m.exec(dockerfile)![1]!) as string[];
  const command = { node: [process.execPath], python3: [python], gunicorn: [python, "-m", "gunicorn"] }[program!]!;
  const port = await freePort();
  const child = spawn(command[0]!, [...command.slice(1), ...args], {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONUNBUFFERED: "1",
      HOST: "127.0.0.1",
      PORT: String(port),
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // its own process group, which can be killed
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const agent = new Agent({ keepAlive: true });
  onTestFinished(async () => {
    agent.destroy();
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, "SIGKILL");
    await closed;
  });
  await listening(port, child, () => stderr);

  return {
    get: (path: string, headers: IncomingHttpHeaders = {}, host = "127.0.0.1") => getJson({ host, port, path, headers, agent }),
    /** Opens a connection and sends nothing. */
    connect: async () => {
      const socket = createConnection(port, "127.0.0.1");
      onTestFinished(() => void socket.destroy());
      await once(socket, "connect");
      // The service can reset it when it stops.
      socket.on("error", () => undefined);
    },
    stop: () => {
      child.kill("SIGTERM");
      return closed;
    },
    lines: () =>
      stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    output: () => stdout + stderr,
  };
}

async function listening(port: number, child: ChildProcess, stderr: () => string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The service ended with ${child.exitCode}: ${stderr()}`);
    const connected = await new Promise<boolean>((resolve) => {
      const socket = createConnection(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (connected) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

type Call = { host: string; port: number; path: string; headers: IncomingHttpHeaders; agent: Agent };

function getJson(call: Call): Promise<[number | undefined, unknown]> {
  return new Promise((resolve, reject) => {
    request(call, async (response) => {
      try {
        const text = Buffer.concat(await response.toArray()).toString();
        resolve([response.statusCode, JSON.parse(text)]);
      } catch (error) {
        reject(error);
      }
    })
      .once("error", reject)
      .end();
  });
}
