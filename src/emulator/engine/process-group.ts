import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import type { Readable } from "node:stream";
import { pause, poll } from "../poll.ts";
import { readLines } from "./read-lines.ts";
import type { Reaper } from "./reaper.ts";

/** A program and all processes that it starts. */
export interface ProcessGroup {
  readonly pid: number;
  /** How the program ended. By then its whole output was passed on, and processes that it left running are gone. Never rejects. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Sends SIGTERM to all of them, then SIGKILL after the grace period. Resolves when they are gone. */
  stop(gracePeriodMs: number): Promise<void>;
}

interface GroupOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: (stream: "stdout" | "stderr", line: string) => void;
  readonly reaper: Reaper;
}

/** A program that couldn't be started; the message reads like a container runtime's. */
export class StartError extends Error {
  override readonly name = "StartError";
}

// A process that left the group can hold its streams open forever.
const LAST_OUTPUT_TIMEOUT_MS = 1_000;
// A killed process stays in its group until it is reaped, which the first process of some containers never does.
const REAP_POLLING = { timeoutMs: 200, firstPauseMs: 5, maxPauseMs: 5 };

// Unlike Cloud Run: a process that creates its own session leaves the group, and outlives the instance.
/** Starts a program as the leader of its own process group, without a shell. Throws a StartError if it can't be started. */
export async function startGroup({ argv, cwd, env, log, reaper }: GroupOptions): Promise<ProcessGroup> {
  const [program = "", ...args] = argv;
  const file = findProgram(program, cwd, env["PATH"] ?? "");
  const child = spawn(file, args, { cwd, env, detached: true, stdio: [reaper.stdinMarker, "pipe", "pipe"] });
  const { pid } = child;
  if (pid === undefined) {
    const [{ code = "", message }] = (await once(child, "error")) as [NodeJS.ErrnoException];
    throw new StartError(`exec: "${program}": ${REASONS[code] ?? message}`);
  }
  reaper.add(pid);

  const output = Promise.all([
    readLines(child.stdout as Readable, (line) => log("stdout", line)),
    readLines(child.stderr as Readable, (line) => log("stderr", line)),
  ]);
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolveExit) =>
    child.once("exit", (code, signal) => resolveExit({ code, signal })),
  );
  const exited = exit.then(async (end) => {
    // As in a container, nothing outlives the first process.
    signalGroup(pid, "SIGKILL");
    await Promise.all([Promise.race([output, pause(LAST_OUTPUT_TIMEOUT_MS)]), poll(() => !signalGroup(pid, 0), REAP_POLLING)]);
    reaper.remove(pid);
    return end;
  });
  return {
    pid,
    exited,
    async stop(gracePeriodMs) {
      // Unlike Cloud Run: SIGTERM goes to all processes of an instance, not only to the first.
      signalGroup(pid, "SIGTERM");
      const killTimer = setTimeout(() => signalGroup(pid, "SIGKILL"), gracePeriodMs);
      await exited;
      clearTimeout(killTimer);
    },
  };
}

/** Docker's time between SIGTERM and SIGKILL. */
export const GRACE_PERIOD_MS = 10_000;

/** Waits until a group has ended, and stops it when the signal aborts. Throws the signal's reason. */
export async function waitForExit(group: ProcessGroup, signal: AbortSignal, stop: () => Promise<void>): ProcessGroup["exited"] {
  const onAbort = (): void => void stop();
  signal.addEventListener("abort", onAbort);
  const exit = await group.exited;
  signal.removeEventListener("abort", onAbort);
  signal.throwIfAborted();
  return exit;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  E2BIG: "argument list too long",
};

/** Finds a program as execvp does, but says why if it can't. */
function findProgram(program: string, cwd: string, path: string): string {
  if (!program.includes("/")) {
    const executable = path
      .split(delimiter)
      .map((folder) => resolve(cwd, folder, program))
      .find((file) => !whyNotExecutable(file));
    if (executable === undefined) throw new StartError(`exec: "${program}": executable file not found in $PATH`);
    return executable;
  }
  const file = resolve(cwd, program);
  const reason = whyNotExecutable(file);
  if (reason) throw new StartError(`exec: "${program}": ${reason}`);
  return file;
}

function whyNotExecutable(file: string): string | undefined {
  try {
    if (statSync(file).isDirectory()) return "is a directory";
    accessSync(file, constants.X_OK);
    return undefined;
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    return REASONS[code] ?? message;
  }
}

/** Sends a signal to all processes of a group; false if none are left. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}
