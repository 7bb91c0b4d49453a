import packageJson from "../package.json" with { type: "json" };
import type { Context } from "./context/context.ts";
import { CliError } from "./errors/cli-error.ts";
import type { GlobalOptions } from "./cli/program.ts";
import type { Execute } from "./context/define-command.ts";
import type { Streams } from "./terminal/terminal.ts";

export { keepCompiledCode } from "./cli/compile-cache.ts";

/** Where a run meets the world. */
export interface ProcessIo extends Streams {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The program and the arguments that start this command line as a process of its own. */
  readonly self: readonly string[];
  /** Aborted when the run is to end early. */
  readonly signal?: AbortSignal;
}

/** Runs the command line in this process; resolves to its exit code. Ctrl-C ends it in order, a second one at once. */
export async function main(argv: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (interrupt.signal.aborted) {
      for (const name of SIGNALS) process.off(name, onSignal);
      process.kill(process.pid, signal);
    }
    interrupt.abort(new CliError("INTERRUPTED", "Interrupted.", { details: { signal } }));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    return await run(argv, {
      // Each is opened when it is first asked for: that takes a while, and few runs need all of them.
      get stdin() {
        return process.stdin;
      },
      get stdout() {
        return process.stdout;
      },
      get stderr() {
        return process.stderr;
      },
      env: process.env,
      cwd: process.cwd(),
      self: [process.execPath, ...process.argv.slice(1, 2)],
      signal: interrupt.signal,
    });
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
  }
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Runs the command line against an edge; resolves to the exit code, and never rejects. */
export async function run(argv: readonly string[], edge: ProcessIo): Promise<number> {
  // Everything else takes longer to load than this takes to say.
  if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
    edge.stdout.write(`${packageJson.version}\n`);
    return 0;
  }
  // A shell asks, for somebody who waits with a finger on Tab.
  if (argv[0] === "__complete") return (await import("./cli/completion/complete.ts")).complete(argv.slice(2), edge);
  const cut = argv.indexOf("--");
  const own = cut < 0 ? argv : argv.slice(0, cut);
  const rest = cut < 0 ? [] : argv.slice(cut + 1);
  const stop = new AbortController();
  const signal = edge.signal ? AbortSignal.any([edge.signal, stop.signal]) : stop.signal;
  let isPipeBroken = false;
  const onBroken = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    isPipeBroken = true;
    stop.abort(error);
  };
  // It stays: that the reader has gone is said only after the last line was written, when the command may be over.
  edge.stdout.on("error", onBroken);
  try {
    return await runCommand(own, rest, edge, signal, stop);
  } catch (error) {
    if (isPipeBroken) return 0;
    const { report } = await import("./cli/report-error.ts");
    return await report(signal.aborted ? signal.reason : error, edge, own);
  }
}

async function runCommand(
  argv: readonly string[],
  rest: readonly string[],
  edge: ProcessIo,
  signal: AbortSignal,
  stop: AbortController,
): Promise<number> {
  const { createProgram } = await import("./cli/program.ts");
  let exitCode = 0;
  const execute: Execute = async (options, { takesRest }, command) => {
    if (rest.length > 0 && !takesRest) throw new CliError("USAGE", "What stands behind -- means nothing to this command.");
    const { timeout } = options;
    const timer = timeout === undefined ? undefined : setTimeout(() => stop.abort(outOfTime(timeout)), timeout);
    try {
      const context = await open(options, rest, edge, signal);
      exitCode =
        (await command(context).catch(async (error: unknown) => {
          throw await (await import("./cli/did-you-mean.ts")).withSuggestion(error, context);
        })) ?? 0;
    } finally {
      clearTimeout(timer);
    }
  };
  const program = createProgram(execute, edge, argv[0]);
  try {
    await program.parseAsync(argv.length > 0 ? [...argv] : ["--help"], { from: "user" });
  } catch (error) {
    const { readMisuse } = await import("./cli/usage-error.ts");
    const failure = readMisuse(error, program, argv);
    if (failure) throw failure;
  }
  return exitCode;
}

async function open(options: GlobalOptions, rest: readonly string[], edge: ProcessIo, signal: AbortSignal) {
  const [{ openTerminal }, { openContext }] = await Promise.all([import("./terminal/terminal.ts"), import("./context/context.ts")]);
  const { stdout, stderr, env, cwd, self } = edge;
  const terminal = await openTerminal({
    ...options,
    get stdin() {
      return edge.stdin;
    },
    stdout,
    stderr,
    env,
    signal,
  });
  const stdin: Context["stdin"] = { [Symbol.asyncIterator]: () => edge.stdin[Symbol.asyncIterator]() };
  return openContext({ options, terminal, stdin, env, cwd, self, signal, rest });
}

function outOfTime(milliseconds: number): CliError {
  return new CliError("TIMEOUT", `Not done after ${milliseconds / 1000} s.`, { hint: "Give it more time with --timeout." });
}
