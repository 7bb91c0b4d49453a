import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { readLines } from "./lines.ts";
import type { Reaper } from "./reaper.ts";

/** A program and all that it starts. */
export interface ProcessGroup {
  readonly pid: number;
  /** How the program ended. By then its output was all handed on, and what it left running is gone. Never rejects. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** SIGTERM to all of them, then SIGKILL after `grace` milliseconds. Resolves when they are gone. */
  stop(grace: number): Promise<void>;
}

interface GroupOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: (stream: "stdout" | "stderr", line: string) => void;
  readonly reaper: Reaper;
}

/** A program that could not be started; the message is in the words of a container runtime. */
export class StartError extends Error {
  override readonly name = "StartError";
}

// In milliseconds. A process that left the group may hold its streams open for ever.
const LAST_OUTPUT = 1_000;
// In milliseconds. A killed process stays in its group until it is reaped, which some containers' first process never does.
const LAST_MOMENTS = 200;

// Unlike Cloud Run: a process that makes a session of its own leaves the group, and outlives it.
/** Starts a program as the leader of a process group of its own, with no shell in between. Throws a StartError where it cannot be started. */
export async function startGroup({ argv, cwd, env, log, reaper }: GroupOptions): Promise<ProcessGroup> {
  const [program = "", ...args] = argv;
  const file = findProgram(program, cwd, env["PATH"] ?? "");
  const child = spawn(file, args, { cwd, env, detached: true, stdio: [reaper.leash, "pipe", "pipe"] });
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
  const ended = new Promise<{ code: number | null; signal: string | null }>((end) =>
    child.once("exit", (code, signal) => end({ code, signal })),
  );
  const exited = ended.then(async (end) => {
    // As in a container, nothing outlives the program that was started first.
    signalGroup(pid, "SIGKILL");
    await Promise.all([Promise.race([output, delay(LAST_OUTPUT)]), isEmpty(pid)]);
    reaper.remove(pid);
    return end;
  });
  return {
    pid,
    exited,
    async stop(grace) {
      // Unlike Cloud Run: SIGTERM goes to all processes of an instance, not to the first alone.
      signalGroup(pid, "SIGTERM");
      const late = setTimeout(() => signalGroup(pid, "SIGKILL"), grace);
      await exited;
      clearTimeout(late);
    },
  };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  E2BIG: "argument list too long",
};

/** Finds a program as execvp does, but tells why where it cannot. */
function findProgram(program: string, cwd: string, path: string): string {
  if (!program.includes("/")) {
    const found = path
      .split(delimiter)
      .map((folder) => resolve(cwd, folder, program))
      .find((file) => !reasonAgainst(file));
    if (found === undefined) throw new StartError(`exec: "${program}": executable file not found in $PATH`);
    return found;
  }
  const file = resolve(cwd, program);
  const reason = reasonAgainst(file);
  if (reason) throw new StartError(`exec: "${program}": ${reason}`);
  return file;
}

function reasonAgainst(file: string): string | undefined {
  try {
    if (statSync(file).isDirectory()) return "is a directory";
    accessSync(file, constants.X_OK);
    return undefined;
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    return REASONS[code] ?? message;
  }
}

/** Sends a signal to all processes of a group; false where there are none left. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

async function isEmpty(group: number): Promise<void> {
  for (let waited = 0; waited < LAST_MOMENTS && signalGroup(group, 0); waited += 5) await delay(5);
}
