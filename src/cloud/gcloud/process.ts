import { execa } from "execa";
import { kill as signalGroup } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import type { Tell } from "../../terminal/progress.ts";
import type { CloudContext } from "../cloud-context.ts";
import { gcloudMissing, readGcloudError } from "./errors.ts";
import { signIn } from "./sign-in.ts";

interface GcloudOptions {
  /** Gets each line of stdout while gcloud runs; stdout is returned all the same. */
  readonly onLine?: (line: string) => void;
  /** Shows what gcloud prints on stderr: on a terminal through `tell`, elsewhere as it comes. */
  readonly showsProgress?: boolean;
  readonly tell?: Tell;
  readonly input?: string;
}

/** Runs gcloud and resolves with its stdout. Throws what gcloud's error means. */
export type Gcloud = (args: readonly string[], options?: GcloudOptions) => Promise<string>;

/** After SIGTERM; then gcloud gets SIGKILL. */
const KILL_TIMEOUT_MS = 3000;

export function openGcloud({ env, terminal, signal, cwd }: Pick<CloudContext, "env" | "terminal" | "signal" | "cwd">): Gcloud {
  const isSilent = terminal.quiet || terminal.json;
  const isFolded = terminal.interactive && !terminal.verbose;
  let signedIn: Promise<void> | undefined;
  const running = new Map<string, Promise<string>>();

  return (args, options = {}) => {
    if (options.showsProgress) return start(args, options);
    // The same command at the same time starts gcloud only once.
    const key = JSON.stringify([args, options.input]);
    const stdout = running.get(key) ?? start(args, options).finally(() => running.delete(key));
    running.set(key, stdout);
    return stdout;
  };

  async function start(args: readonly string[], { onLine, showsProgress, tell, input }: GcloudOptions): Promise<string> {
    signal.throwIfAborted();
    if (env.CLOUDRUN_OAUTH_EMULATOR) await (signedIn ??= signIn(env));
    terminal.debug(`$ ${gcloudLine(args)}`);
    const started = performance.now();
    const child = execa("gcloud", args, {
      cwd,
      // Otherwise, Python buffers what it prints to a pipe.
      env: { ...env, CLOUDSDK_CORE_DISABLE_PROMPTS: "1", PYTHONUNBUFFERED: "1" },
      extendEnv: false,
      ...(input === undefined ? { stdin: "ignore" } : { input }),
      reject: false,
      // Its own process group, because gcloud is a shell script that starts Python.
      detached: !env.PATHEXT,
      ...(onLine && { stdout: tee(onLine) }),
      ...(!isSilent && showsProgress && { stderr: tee(untilError(isFolded && tell ? tell : (line) => terminal.note(line))) }),
    });
    const kill = () => void endGroup(child.pid, () => child.kill());
    signal.addEventListener("abort", kill, { once: true });
    const { exitCode, code, failed, stdout, stderr } = await child;
    signal.removeEventListener("abort", kill);
    signal.throwIfAborted();
    terminal.debug(`gcloud exited with ${exitCode ?? code} after ${((performance.now() - started) / 1000).toFixed(1)} s`);
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

/** Shows gcloud's progress, without bold type, up to its error message, which is reported in other words. Commands print the service's URL themselves. */
function untilError(show: (line: string) => void): (line: string) => void {
  let hasFailed = false;
  return (line) => {
    hasFailed ||= line.startsWith("ERROR:");
    const text = stripVTControlCharacters(line);
    if (!hasFailed && !text.startsWith("Service URL:")) show(text);
  };
}

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
    await sleep(KILL_TIMEOUT_MS, undefined, { ref: false });
    signalGroup(-pid, "SIGKILL");
  } catch {
    // The group doesn't exist: gcloud has ended, or this system has no process groups.
    orElse();
  }
}
