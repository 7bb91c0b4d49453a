import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "../state/atomic-write.ts";
import { fetchEmulatorStatus, type EmulatorStatus } from "./emulator-status.ts";

interface PidFile {
  readonly pid: number;
  /** Missing while the emulator is starting or stopping. */
  readonly url?: string;
}

/** No start or stop takes longer: an older claim without a URL was left by a crash. */
const TRANSITION_TIMEOUT_MS = 60_000;

const pidFile = (home: string): string => join(home, "emulator.json");

/** The emulator that was started with this home directory, or undefined. A pid file that a crash left behind is ignored. */
export async function findRunningEmulator(home: string): Promise<EmulatorStatus | undefined> {
  const recorded = readPidFile(home);
  if (!recorded?.url || !isAlive(recorded.pid)) return undefined;
  const status = await fetchEmulatorStatus(recorded.url);
  // Both the pid and the port can have been reused by another process.
  return status?.pid === recorded.pid ? status : undefined;
}

/** Claims a home directory for this process, which is about to start an emulator in it; false if another process holds it. */
export async function claimHome(home: string): Promise<boolean> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const file = pidFile(home);
  const claim = `${file}.${process.pid}`;
  const stale = `${claim}.stale`;
  writeFileSync(claim, JSON.stringify({ pid: process.pid } satisfies PidFile), { mode: 0o600 });
  try {
    for (;;) {
      try {
        // Linking fails if the file exists, so only one of two simultaneous starts succeeds.
        linkSync(claim, file);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const text = readText(file);
      if (isInTransition(home) || (await findRunningEmulator(home))) return false;
      if (!moveFile(file, stale)) continue;
      // Another process may have replaced the stale file meanwhile: its new claim goes back.
      if (readText(stale) !== text) moveFile(stale, file);
    }
  } finally {
    rmSync(claim, { force: true });
    rmSync(stale, { force: true });
  }
}

export function publishUrl(home: string, url: string): void {
  writeFileAtomically(pidFile(home), JSON.stringify({ pid: process.pid, url } satisfies PidFile), { isReproducible: true });
}

/** Records that the emulator in a claimed home directory is stopping, so that none starts in its place before it has stopped. */
export function withdrawUrl(home: string): void {
  try {
    writeFileSync(pidFile(home), JSON.stringify({ pid: process.pid } satisfies PidFile));
  } catch {
    // A full disk must not prevent the emulator from stopping.
  }
}

/** Releases this process's claim on a home directory; another process's claim stays. */
export function releaseHome(home: string): void {
  if (readPidFile(home)?.pid === process.pid) rmSync(pidFile(home), { force: true });
}

/** Asks a running emulator to stop. It takes a moment: its services finish their requests. */
export function terminateEmulator({ pid }: EmulatorStatus): void {
  process.kill(pid, "SIGTERM");
}

/** Whether an emulator's process has exited, and its services with it. */
export function hasExited({ pid }: Pick<EmulatorStatus, "pid">): boolean {
  return !isAlive(pid);
}

function isInTransition(home: string): boolean {
  const recorded = readPidFile(home);
  return (
    recorded !== undefined &&
    recorded.url === undefined &&
    // In a restarted container, this process can have the pid of the one that crashed.
    recorded.pid !== process.pid &&
    isAlive(recorded.pid) &&
    Date.now() - (statSync(pidFile(home), { throwIfNoEntry: false })?.mtimeMs ?? 0) < TRANSITION_TIMEOUT_MS
  );
}

function readPidFile(home: string): PidFile | undefined {
  try {
    return JSON.parse(readText(pidFile(home)) ?? "") as PidFile;
  } catch {
    return undefined;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** Moves a file; false if it doesn't exist. */
function moveFile(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
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

/** Whether a process has exited but its parent hasn't reaped it; in a container without an init process, it never does. */
function isZombie(pid: number): boolean {
  return /^\d+ \([^]*\) Z /.test(readText(`/proc/${pid}/stat`) ?? "");
}
