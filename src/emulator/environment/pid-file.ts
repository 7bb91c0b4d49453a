import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import type { EngineStatus } from "../engine/choose-engine.ts";

/** An emulator that runs: what its status endpoint says. */
export interface Running {
  readonly pid: number;
  readonly url: string;
  readonly project: string;
  readonly region: string;
  readonly data_dir: string;
  readonly environment: Readonly<Record<string, string | null>>;
  readonly engine: EngineStatus;
  readonly services: readonly { readonly name: string; readonly region: string; readonly url: string; readonly ready: boolean }[];
}

interface PidFile {
  readonly pid: number;
  /** Not there while the emulator is starting or ending. */
  readonly url?: string;
}

/** No start and no end takes longer, in milliseconds; a claim that is older without an address was left by a crash. */
const LONGEST_CHANGE = 60_000;

const pidFile = (home: string): string => join(home, "emulator.json");

/** The emulator that was started with this home directory, or undefined. A pid file that a crash left behind counts for nothing. */
export async function findRunning(home: string): Promise<Running | undefined> {
  const known = readPidFile(home);
  if (!known?.url || !isAlive(known.pid)) return undefined;
  const status = await fetchStatus(known.url);
  // The pid may belong to somebody else by now, and so may the port.
  return status?.pid === known.pid ? status : undefined;
}

/** Asks an emulator at an address how it is; undefined where none answers. */
export function fetchStatus(url: string): Promise<Running | undefined> {
  return new Promise((resolve) => {
    const asked = request(new URL("/_emulator/status", url), { timeout: 5000, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => (text += chunk));
      answer.on("end", () => resolve(answer.statusCode === 200 ? parse<Running>(text) : undefined));
      answer.on("error", () => resolve(undefined));
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(undefined));
    asked.end();
  });
}

/** Claims a home directory for this process, which is about to start an emulator in it; false where another has it. */
export async function claimHome(home: string): Promise<boolean> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const file = pidFile(home);
  const mine = `${file}.${process.pid}`;
  const stale = `${mine}.stale`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid } satisfies PidFile), { mode: 0o600 });
  try {
    for (;;) {
      try {
        // Linking fails where the file is there, so of two that start at once only one succeeds.
        linkSync(mine, file);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const found = readText(file);
      if (isChanging(home) || (await findRunning(home))) return false;
      if (!move(file, stale)) continue;
      // Somebody who found the same stale file may have been faster: the claim that is there by now goes back.
      if (readText(stale) !== found) move(stale, file);
    }
  } finally {
    rmSync(mine, { force: true });
    rmSync(stale, { force: true });
  }
}

/** Says where the emulator of a claimed home directory answers. */
export function publish(home: string, url: string): void {
  writeFileSync(`${pidFile(home)}.new`, JSON.stringify({ pid: process.pid, url } satisfies PidFile), { mode: 0o600 });
  renameSync(`${pidFile(home)}.new`, pidFile(home));
}

/** Says that the emulator of a claimed home directory ends, so that nobody takes its place before it has. */
export function retract(home: string): void {
  try {
    writeFileSync(pidFile(home), JSON.stringify({ pid: process.pid } satisfies PidFile));
  } catch {
    // A full disk is no reason not to end.
  }
}

/** Gives a home directory back; another process's claim stays. */
export function releaseHome(home: string): void {
  if (readPidFile(home)?.pid === process.pid) rmSync(pidFile(home), { force: true });
}

/** Tells a running emulator to end. It needs a moment: its services may finish what they do. */
export function terminate({ pid }: Running): void {
  process.kill(pid, "SIGTERM");
}

/** Whether its process is gone, and the services in it with it. */
export function hasEnded({ pid }: Pick<Running, "pid">): boolean {
  return !isAlive(pid);
}

function isChanging(home: string): boolean {
  const known = readPidFile(home);
  return (
    known !== undefined &&
    known.url === undefined &&
    // In a container that is started again, this process may have the pid of the one that crashed.
    known.pid !== process.pid &&
    isAlive(known.pid) &&
    Date.now() - (statSync(pidFile(home), { throwIfNoEntry: false })?.mtimeMs ?? 0) < LONGEST_CHANGE
  );
}

function readPidFile(home: string): PidFile | undefined {
  const text = readText(pidFile(home));
  return text === undefined ? undefined : parse<PidFile>(text);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function move(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether a process has ended and only waits for its parent to ask: in a container without an init process for ever. */
function isZombie(pid: number): boolean {
  return /^\d+ \([^]*\) Z /.test(readText(`/proc/${pid}/stat`) ?? "");
}
