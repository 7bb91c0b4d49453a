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
import { externalStep, nextStep, type NextStep } from "../../errors/next-step.ts";
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
    const storage = options.ephemeral ? "without keeping data" : `with its data in ${join(home, "data")}`;
    return printPlan(context.terminal, [`start an emulator on ${port === 0 ? "a free port" : `port ${port}`} of 127.0.0.1 ${storage}`]);
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
      announce(context, emulator.status(), options);
      context.terminal.note("\nTo stop the emulator, press Ctrl-C.");
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

async function startInBackground(context: Context, home: string, options: StartOptions): Promise<void> {
  const { port, ephemeral, dataDir, iamPropagationMs } = options;
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
  const started = await context.terminal.wait(`Starting the emulator (up to ${START_TIMEOUT_MS / 1000} seconds)`, () =>
    poll(findStarted, { firstPauseMs: 25, timeoutMs: START_TIMEOUT_MS, signal: context.signal }),
  );
  if (started) return announce(context, started, options, nextStep("To stop it", "emulator", "stop"));
  child.kill("SIGTERM");
  const message = `The emulator didn't respond within ${START_TIMEOUT_MS / 1000} seconds.`;
  throw new CliError("EMULATOR_FAILED", message, { hint: `Log file: ${logFile}` });
}

function announce({ terminal }: Context, running: EmulatorStatus, { dataDir }: StartOptions, ...more: readonly NextStep[]): void {
  if (terminal.json) return terminal.printJson(running);
  const { url, project, data_dir } = running;
  terminal.print(`Emulator ready at ${url} (project ${project}, data in ${data_dir})\n`);
  terminal.nextSteps([
    { ...nextStep("To use it in this shell", "emulator", "env"), isEvaluated: true },
    // Only the shell's environment leads to an emulator in another directory.
    nextStep("To build and deploy this directory", "up", ...(dataDir === undefined ? ["--emulator"] : [])),
    ...more,
  ]);
}

interface ErrorDocument {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string | null; readonly next: readonly NextStep[] };
}

/** Reads the error of an emulator that ended at once from the last line of its log. */
function readFailure(logFile: string): CliError {
  const text = readFileSync(logFile, "utf8").trim();
  try {
    const { error } = JSON.parse(text.slice(text.lastIndexOf("\n") + 1)) as ErrorDocument;
    // The commands are complete, with the name of the program.
    const next = error.next.map(({ text, command: [program = "", ...argv] }) => externalStep(text, program, ...argv));
    if (Object.hasOwn(EXIT_CODES, error.code)) return new CliError(error.code, error.message, { hint: error.hint ?? undefined, next });
  } catch {
    // The last line isn't an error document: the whole log is the cause.
  }
  return new CliError("EMULATOR_FAILED", "The emulator exited during startup.", { hint: `Log file: ${logFile}`, cause: text });
}

async function alreadyRunning(home: string): Promise<CliError> {
  const running = await findRunningEmulator(home);
  if (!running)
    return new CliError("EMULATOR_FAILED", `Another emulator is starting or stopping in ${home}.`, { hint: "Try again in a moment." });
  return new CliError("EMULATOR_FAILED", `The emulator is already running at ${running.url} (pid ${running.pid}).`, {
    hint: "Use it with --emulator, or start another one with --data-dir.",
    next: [nextStep("To stop it", "emulator", "stop")],
  });
}
