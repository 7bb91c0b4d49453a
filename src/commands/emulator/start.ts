import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "../../context/context.ts";
import {
  claimHome,
  emulatorHome,
  findRunningEmulator,
  publishUrl,
  releaseHome,
  withdrawUrl,
  type EmulatorStatus,
} from "../../emulator/index.ts";
import { CliError } from "../../errors/cli-error.ts";
import { EXIT_CODES, type ErrorCode } from "../../errors/exit-codes.ts";
import type { EmulatorFlags } from "../../context/emulator-client.ts";
import { explainStartError, startEmulator } from "../../context/start-emulator.ts";
import { printPlan } from "../../context/print-plan.ts";
import { poll } from "../../http/poll.ts";

interface StartOptions extends EmulatorFlags {
  readonly port?: number;
  readonly detach?: boolean;
  readonly ephemeral?: boolean;
  readonly iamPropagationMs?: number;
}

const DEFAULT_PORT = 8686;
const START_TIMEOUT_MS = 30_000;

/** Runs an emulator until Ctrl-C, or with `--detach` starts one in the background and returns when it answers. */
export async function emulatorStart(context: Context, options: StartOptions): Promise<void> {
  const home = emulatorHome(context, options.dataDir);
  const { port = DEFAULT_PORT } = options;
  if (context.dryRun) {
    const storage = options.ephemeral ? "nothing kept" : `its data in ${join(home, "data")}`;
    return printPlan(context.terminal, [`start an emulator on ${port === 0 ? "a free port" : `port ${port}`} of 127.0.0.1, ${storage}`]);
  }
  try {
    await (options.detach ? startInBackground(context, home, options) : runInForeground(context, home, port, options));
  } catch (error) {
    throw explainStartError(error, port, home);
  }
}

async function runInForeground(context: Context, home: string, port: number, options: StartOptions): Promise<void> {
  if (!(await claimHome(home))) throw await alreadyRunning(home);
  const directory = options.ephemeral ? mkdtempSync(join(tmpdir(), "cloudrun-oauth-")) : join(home, "data");
  try {
    const emulator = await startEmulator(context, directory, {
      port,
      iamPropagationMs: options.iamPropagationMs,
      log: (line) => context.terminal.note(line),
    });
    try {
      publishUrl(home, emulator.url);
      if (context.terminal.json) await emulator.createCallerKey();
      announce(context, emulator.status());
      if (!context.signal.aborted) await once(context.signal, "abort");
    } finally {
      withdrawUrl(home);
      await (options.ephemeral ? emulator.remove() : emulator.close());
    }
  } finally {
    if (options.ephemeral) rmSync(directory, { recursive: true, force: true });
    releaseHome(home);
  }
}

async function startInBackground(
  context: Context,
  home: string,
  { port, ephemeral, dataDir, iamPropagationMs }: StartOptions,
): Promise<void> {
  if (await findRunningEmulator(home)) throw await alreadyRunning(home);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const logFile = join(home, "emulator.log");
  const log = openSync(logFile, "w", 0o600);
  const flags = Object.entries({
    port,
    "data-dir": dataDir,
    engine: context.settings.get("engine")?.value,
    "iam-propagation": iamPropagationMs === undefined ? undefined : `${iamPropagationMs}ms`,
    project: context.settings.flag("project"),
    region: context.settings.flag("region"),
  });
  const [node = "", ...argv] = [...context.self, "emulator", "start", "--json"];
  argv.push(
    ...flags.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)])),
    ...(ephemeral ? ["--ephemeral"] : []),
  );
  const child = spawn(node, argv, { cwd: context.cwd, env: { ...context.env }, detached: true, stdio: ["ignore", "ignore", log] });
  closeSync(log);
  child.unref();

  let hasEnded = false;
  child.once("exit", () => (hasEnded = true));
  child.once("error", () => (hasEnded = true));
  const findStarted = async () => {
    const running = await findRunningEmulator(home);
    if (running && running.pid === child.pid) return running;
    if (hasEnded) throw readFailure(logFile);
    return undefined;
  };
  const started = await poll(findStarted, { firstPauseMs: 25, timeoutMs: START_TIMEOUT_MS, signal: context.signal });
  if (started) return announce(context, started);
  child.kill("SIGTERM");
  throw new CliError("EMULATOR_FAILED", `The emulator did not answer within ${START_TIMEOUT_MS / 1000} seconds.`, {
    hint: `Its log is ${logFile}`,
  });
}

function announce({ terminal }: Context, running: EmulatorStatus): void {
  if (terminal.json) return terminal.printJson(running);
  terminal.print(`Emulator ready at ${running.url} (project ${running.project}, data in ${running.data_dir})\n`);
  terminal.note('Bring a shell to it:  eval "$(cloudrun-oauth emulator env)"');
}

/** Reads the error of an emulator that ended at once from the last line of its log. */
function readFailure(logFile: string): CliError {
  const text = readFileSync(logFile, "utf8").trim();
  try {
    const { error } = JSON.parse(text.slice(text.lastIndexOf("\n") + 1)) as { error: { code: ErrorCode; message: string; hint?: string } };
    if (Object.hasOwn(EXIT_CODES, error.code)) return new CliError(error.code, error.message, { hint: error.hint });
  } catch {
    // The last line isn't an error document: the whole log is the cause.
  }
  return new CliError("EMULATOR_FAILED", "The emulator ended as soon as it was started.", { hint: `Its log is ${logFile}`, cause: text });
}

async function alreadyRunning(home: string): Promise<CliError> {
  const running = await findRunningEmulator(home);
  const what = running
    ? `An emulator is running already: ${running.url}, pid ${running.pid}.`
    : `Another emulator is being started or stopped in ${home}.`;
  return new CliError("EMULATOR_FAILED", what, {
    hint: "Use it with --emulator, end it with: cloudrun-oauth emulator stop, or start a second one with --data-dir",
  });
}
