import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { request, type IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Json } from "./api-server.ts";
import { RECORDING } from "./recording.ts";
import { assertNoSecrets } from "./secret-scan.ts";

export const BIN = fileURLToPath(new URL("../../bin/cloudrun-oauth.js", import.meta.url));

/** Milliseconds that the processes of a killed emulator may take to end: the reaper gives them three seconds. */
const REAPED = 10_000;

/** The emulator was killed before the answer was there. */
export class Killed extends Error {
  override readonly name = "Killed";
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** Empty where the body is no JSON. */
  readonly json: Json;
}

export interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | Buffer | object;
}

/** The command line's own emulator, in a home of its own, that can be killed and started again. */
export interface KillableEmulator {
  /** The data directory. */
  readonly directory: string;
  /** Its process; undefined where it was killed, or not started. */
  pid(): number | undefined;
  /** Starts it, and resolves when it answers; rejects with what it said where it ends instead. */
  start(): Promise<void>;
  /** Sends SIGKILL, and resolves when it is gone; rejects where it has said a secret. Its services and builds may go on for a moment. */
  kill(): Promise<void>;
  /** Starts it, and kills it after so many milliseconds, ready or not. */
  startAndKill(after: number): Promise<void>;
  /** Asks one of Google's hosts, or a service's. Throws Killed where there is no whole answer. */
  ask(method: string, url: string, asked?: Asked): Promise<Answer>;
  /** Rejects where a process that a killed emulator had started is still there. */
  assertReaped(): Promise<void>;
}

/** `env` is put over the environment that the emulator gets otherwise. */
export function createKillableEmulator(home: string, env: NodeJS.ProcessEnv = {}): KillableEmulator {
  const directory = join(home, "data");
  const left = new Map<number, string>();
  let child: ChildProcess | undefined;
  let port = 0;
  let killedAt = 0;
  let said = "";

  const spawnEmulator = (): ChildProcess => {
    // The user's own settings and caches are none of its business.
    const own = join(home, "user");
    mkdirSync(own, { recursive: true });
    const usual = { PATH: process.env["PATH"], HOME: own, NO_COLOR: "1", CLOUDRUN_OAUTH_RECORD: RECORDING };
    return spawn(process.execPath, [BIN, "emulator", "start", "--port", "0", "--data-dir", home, "--engine", "process", "--json"], {
      env: { ...usual, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
  };
  const kill = async (): Promise<void> => {
    const dying = child;
    if (!dying) return;
    child = undefined;
    const gone = dying.exitCode !== null || dying.signalCode !== null ? undefined : once(dying, "exit");
    dying.kill("SIGKILL");
    await gone;
    killedAt = Date.now();
    assertNoSecrets({ "what a killed emulator said": said });
    for (const [pid, started] of processesOf(directory)) left.set(pid, started);
  };

  return {
    directory,
    pid: () => child?.pid,
    kill,
    async start() {
      const started = (child = spawnEmulator());
      said = "";
      started.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-100_000)));
      const ready = await firstDocument(started);
      if (!ready) throw new Error(`The emulator did not start:\n${said}`);
      port = Number(new URL((ready as { url: string }).url).port);
    },
    async startAndKill(after) {
      child = spawnEmulator();
      child.stdout?.resume();
      child.stderr?.resume();
      await sleep(after);
      await kill();
    },
    ask: (method, url, asked) => ask(port, method, new URL(url), asked),
    async assertReaped() {
      for (;;) {
        const alive = [...left].filter(([pid, started]) => startOf(pid) === started).map(([pid]) => `${pid}: ${commandOf(pid)}`);
        if (alive.length === 0) return;
        if (Date.now() - killedAt > REAPED) throw new Error(`What a killed emulator had started is still there:\n${alive.join("\n")}`);
        await sleep(50);
      }
    },
  };
}

/** The first JSON document that a process prints; undefined where it ends before. */
function firstDocument(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => {
    let text = "";
    child.once("close", () => resolve(undefined));
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const document = attempt((): unknown => JSON.parse(text));
      if (document) resolve(document);
    });
  });
}

function ask(port: number, method: string, url: URL, { headers = {}, body }: Asked = {}): Promise<Answer> {
  const isJson = typeof body === "object" && !Buffer.isBuffer(body);
  const all = { host: url.host, ...(isJson && { "content-type": "application/json" }), ...headers };
  return new Promise((resolve, reject) => {
    const lose = (error: Error): void => reject(new Killed(`${method} ${url.href}: ${error.message}`));
    const sent = request({ port, host: "127.0.0.1", agent: false, method, path: url.pathname + url.search, headers: all }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", lose);
      answer.on("end", () => resolve(read(answer.statusCode ?? 0, answer.headers, Buffer.concat(chunks))));
    });
    sent.on("error", lose);
    sent.end(isJson ? JSON.stringify(body) : body);
  });
}

function read(status: number, headers: IncomingHttpHeaders, bytes: Buffer): Answer {
  const isJson = /json/.test(headers["content-type"] ?? "");
  return { status, headers, bytes, json: isJson ? JSON.parse(bytes.toString("utf8")) : {} };
}

/** The processes whose environment names a directory, with the time that each was started at. Where there is no /proc, none. */
export function processesOf(directory: string): [pid: number, started: string][] {
  const pids =
    attempt(() =>
      readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map(Number),
    ) ?? [];
  return pids.flatMap((pid) => {
    const started = attempt(() => readFileSync(`/proc/${pid}/environ`, "latin1").includes(`${directory}/`)) ? startOf(pid) : undefined;
    return started === undefined ? [] : [[pid, started]];
  });
}

/** Tells a process from a later one with its pid; undefined where it has ended. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function startOf(pid: number): string | undefined {
  const [state, ...fields] = attempt(() => readFileSync(`/proc/${pid}/stat`, "latin1"))
    ?.replace(/^.*\) /s, "")
    .split(" ") ?? ["Z"];
  return state === "Z" ? undefined : fields[18];
}

function commandOf(pid: number): string {
  return attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")) ?? "gone";
}

/** What `read` gives; undefined where it throws, as for a process that has gone meanwhile. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
