import { execa } from "execa";
import { kill as signalGroup } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import type { CloudContext } from "../cloud-context.ts";
import { gcloudMissing, readGcloudError } from "./errors.ts";
import { signIn } from "./sign-in.ts";

interface GcloudOptions {
  /** Shows a line of stdout while gcloud runs, instead of keeping it for the answer only. */
  readonly onLine?: (line: string) => void;
  /** Keeps what gcloud says to itself: a failure is as good an answer as any. */
  readonly isProbe?: boolean;
  /** What gcloud reads from stdin. */
  readonly input?: string;
}

/** Runs gcloud and resolves to its stdout; its progress goes to our stderr as it comes. Throws what gcloud's error means. */
export type Gcloud = (args: readonly string[], options?: GcloudOptions) => Promise<string>;

/** Milliseconds that gcloud has to end after SIGTERM. */
const GRACE = 3000;

export function openGcloud({ env, terminal, signal, cwd }: Pick<CloudContext, "env" | "terminal" | "signal" | "cwd">): Gcloud {
  const isQuiet = terminal.quiet || terminal.json;
  let signedIn: Promise<void> | undefined;
  const underWay = new Map<string, Promise<string>>();

  return (args, options = {}) => {
    if (!options.isProbe) return start(args, options);
    // What is asked twice at the same time takes one start of gcloud.
    const key = JSON.stringify(args);
    const asked = underWay.get(key) ?? start(args, options).finally(() => underWay.delete(key));
    underWay.set(key, asked);
    return asked;
  };

  async function start(args: readonly string[], { onLine, isProbe, input }: GcloudOptions): Promise<string> {
    signal.throwIfAborted();
    if (env.CLOUDRUN_OAUTH_EMULATOR) await (signedIn ??= signIn(env));
    terminal.debug(`$ ${gcloudLine(args)}`);
    const started = performance.now();
    const child = execa("gcloud", args, {
      cwd,
      // Python keeps back what it prints into a pipe, unless it is told not to.
      env: { ...env, CLOUDSDK_CORE_DISABLE_PROMPTS: "1", PYTHONUNBUFFERED: "1" },
      extendEnv: false,
      ...(input === undefined ? { stdin: "ignore" } : { input }),
      reject: false,
      // A group of its own, because gcloud is a shell script that starts Python.
      detached: !env.PATHEXT,
      ...(onLine && { stdout: tee(onLine) }),
      ...(!isQuiet && !isProbe && { stderr: tee(untilError((line) => terminal.note(line))) }),
    });
    const kill = () => void endGroup(child.pid, () => child.kill());
    signal.addEventListener("abort", kill, { once: true });
    const { exitCode, code, failed, stdout, stderr } = await child;
    signal.removeEventListener("abort", kill);
    signal.throwIfAborted();
    terminal.debug(`gcloud ended with ${exitCode ?? code} after ${((performance.now() - started) / 1000).toFixed(1)} s`);
    if (code === "ENOENT") throw gcloudMissing();
    if (failed) throw readGcloudError({ stdout, stderr, exitCode, args });
    return stdout;
  }
}

/** The line that a person would type, quoted for a POSIX shell. */
export function gcloudLine(args: readonly string[], input?: string): string {
  const line = ["gcloud", ...args].map(quote).join(" ");
  return input === undefined ? line : `printf %s ${quote(input)} | ${line}`;
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Shows gcloud's progress, without bold type, up to the error: that is retold in our own words, and is gcloud's own under `--verbose`. */
function untilError(show: (line: string) => void): (line: string) => void {
  let hasFailed = false;
  return (line) => {
    hasFailed ||= line.startsWith("ERROR:");
    if (!hasFailed) show(stripVTControlCharacters(line));
  };
}

/** An execa output that shows each line and keeps it. */
function tee(show: (line: string) => void) {
  return function* (line: unknown): Generator<string> {
    show(String(line));
    yield String(line);
  };
}

async function endGroup(pid: number | undefined, orElse: () => void): Promise<void> {
  if (pid === undefined) return;
  try {
    signalGroup(-pid, "SIGTERM");
    await sleep(GRACE, undefined, { ref: false });
    signalGroup(-pid, "SIGKILL");
  } catch {
    // No such group: it has ended, or this system has none.
    orElse();
  }
}
