import { spawn, type ChildProcess } from "node:child_process";
import { accessSync, constants, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Missing } from "./missing.ts";

type Environment = Readonly<Record<string, string>>;

export interface Running {
  readonly pid: number;
  /** What it said on stdout until it was ready. */
  readonly said: string;
  /** Milliseconds from its start until it said so. */
  readonly readyAfter: number;
  stop(): Promise<void>;
}

interface StartOptions {
  readonly env: Environment;
  /** Matches stdout when it is ready. */
  readonly ready: RegExp;
  readonly cwd?: string;
}

/** The processes and the folder of one run: gone when it ends, whichever way it does. */
export class Processes {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "cloudrun-oauth-bench-")));
  readonly #children = new Set<ChildProcess>();
  isClosed = false;

  /** Runs a program to its end; milliseconds. Throws where it fails, with what it said on stderr. */
  async time(argv: readonly string[], env: Environment, cwd = this.folder): Promise<number> {
    return (await this.#finish(argv, env, cwd, "ignore")).ms;
  }

  /** What a program prints. Throws as `time` does. */
  async read(argv: readonly string[], env: Environment, cwd = this.folder): Promise<string> {
    return (await this.#finish(argv, env, cwd, "pipe")).stdout;
  }

  /** Starts a program that goes on, and waits until it is ready. */
  start(argv: readonly string[], { env, ready, cwd = this.folder }: StartOptions): Promise<Running> {
    const begun = performance.now();
    const child = this.#spawn(argv, env, cwd, "pipe");
    return new Promise((resolve, reject) => {
      let [said, complaint] = ["", ""];
      child.stdout?.on("data", (piece: Buffer) => {
        said += piece.toString("utf8");
        if (!ready.test(said)) return;
        resolve({ pid: child.pid ?? 0, said, readyAfter: performance.now() - begun, stop: () => stop(child) });
      });
      child.stderr?.on("data", (piece: Buffer) => (complaint = (complaint + piece.toString("utf8")).slice(-2000)));
      child.once("error", reject);
      child.once("close", () => reject(failure(argv, complaint)));
    });
  }

  /** Starts a program that goes on and does not say when it listens; its process's id. */
  async startListening(argv: readonly string[], env: Environment, port: number): Promise<number> {
    const child = this.#spawn(argv, env, this.folder, "ignore");
    let [complaint, ended] = ["", false];
    child.stderr?.on("data", (piece: Buffer) => (complaint = (complaint + piece.toString("utf8")).slice(-2000)));
    child.once("error", () => (ended = true)).once("close", () => (ended = true));
    while (!(await isOpen(port))) {
      if (ended) throw failure(argv, complaint);
      await sleep(20);
    }
    return child.pid ?? 0;
  }

  /** Ends what is running, and removes what was written. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all([...this.#children].map(stop));
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #spawn([program = "", ...args]: readonly string[], env: Environment, cwd: string, stdout: "ignore" | "pipe"): ChildProcess {
    if (this.isClosed) throw new Error("It was ended.");
    const child = spawn(program, args, { env, cwd, stdio: ["ignore", stdout, "pipe"] });
    this.#children.add(child);
    child.once("close", () => this.#children.delete(child));
    return child;
  }

  #finish(argv: readonly string[], env: Environment, cwd: string, out: "ignore" | "pipe"): Promise<{ ms: number; stdout: string }> {
    const begun = performance.now();
    const child = this.#spawn(argv, env, cwd, out);
    return new Promise((resolve, reject) => {
      let [ms, stdout, stderr] = [NaN, "", ""];
      child.stdout?.on("data", (piece: Buffer) => (stdout += piece.toString("utf8")));
      child.stderr?.on("data", (piece: Buffer) => (stderr += piece.toString("utf8")));
      child.once("error", reject);
      child.once("exit", () => (ms = performance.now() - begun));
      child.once("close", (code) => (code === 0 ? resolve({ ms, stdout }) : reject(failure(argv, stderr))));
    });
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.once("connect", () => socket.destroy()).once("error", () => resolve(false));
  });
}

/** Characters of what a program that failed has said. */
const MOST_SAID = 200;

function failure(argv: readonly string[], stderr: string): Error {
  const what = argv
    .slice(0, 2)
    .map((each) => basename(each))
    .join(" ");
  return new Error(`${what} failed: ${stderr.trim().replaceAll(/\s+/g, " ").slice(-MOST_SAID) || "it said nothing"}`);
}

/** Milliseconds that a process has to end by itself. */
const GRACE = 8000;

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const last = setTimeout(() => child.kill("SIGKILL"), GRACE);
    child.once("exit", () => {
      clearTimeout(last);
      resolve();
    });
    child.kill("SIGTERM");
  });
}

/** Where a program is on PATH, or at the path that an environment variable names. Throws Missing. */
export function findProgram(name: string, variable?: string): string {
  const named = variable === undefined ? undefined : process.env[variable];
  const candidates = named
    ? [named]
    : (process.env["PATH"] ?? "")
        .split(delimiter)
        .filter(Boolean)
        .map((folder) => join(folder, name));
  // Debian has the programs of daemons where only root looks.
  const found = [...candidates, ...(named ? [] : [join("/usr/sbin", name)])].find(isExecutable);
  if (found === undefined) throw new Missing(named ? `${variable} names no program` : `${name} is not installed`);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
