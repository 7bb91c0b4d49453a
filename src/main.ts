import packageJson from "../package.json" with { type: "json" };
import type { Execute } from "./cli/add-command.ts";
import { enableCompileCache } from "./cli/compile-cache.ts";
import type { Context } from "./context/context.ts";
import type { GlobalOptions } from "./context/global-flags.ts";
import type { ProcessIo } from "./context/process-io.ts";
import { CliError } from "./errors/cli-error.ts";

/** Runs the command line in this process; resolves to its exit code. The first Ctrl-C ends it in order, the second at once. */
export async function main(argv: readonly string[]): Promise<number> {
  enableCompileCache(process.env);
  const interrupt = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (interrupt.signal.aborted) {
      for (const name of SIGNALS) process.off(name, onSignal);
      process.kill(process.pid, signal);
    }
    interrupt.abort(new CliError("INTERRUPTED", "Interrupted.", { subject: { kind: "signal", name: signal }, details: { signal } }));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    return await run(argv, {
      // Opening a stream takes a while, and few runs need all three: each is opened on first use.
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

/** Runs the command line on these streams and this environment; resolves to the exit code, and never rejects. */
export async function run(argv: readonly string[], io: ProcessIo): Promise<number> {
  // Loading the command tree takes longer than printing the version.
  if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
    io.stdout.write(`${packageJson.version}\n`);
    return 0;
  }
  // The completion scripts call this.
  if (argv[0] === "__complete") return (await import("./cli/completion/complete.ts")).complete(argv.slice(2), io);
  const separator = argv.indexOf("--");
  const words = separator < 0 ? argv : argv.slice(0, separator);
  const passedArguments = separator < 0 ? [] : argv.slice(separator + 1);
  const stop = new AbortController();
  const signal = io.signal ? AbortSignal.any([io.signal, stop.signal]) : stop.signal;
  let isPipeBroken = false;
  const onStdoutError = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    isPipeBroken = true;
    stop.abort(error);
  };
  // The listener stays: EPIPE arrives after the last line was written, when the command can be over.
  io.stdout.on("error", onStdoutError);
  try {
    return await runCommand({ words, passedArguments, io, signal }, stop);
  } catch (error) {
    if (isPipeBroken) return 0;
    const { reportError } = await import("./cli/report-error.ts");
    return await reportError(signal.aborted ? signal.reason : error, io, words);
  }
}

interface Run {
  readonly words: readonly string[];
  readonly passedArguments: readonly string[];
  readonly io: ProcessIo;
  readonly signal: AbortSignal;
}

async function runCommand(invocation: Run, stop: AbortController): Promise<number> {
  const { words, passedArguments, io } = invocation;
  const { createProgram } = await import("./cli/program.ts");
  let exitCode = 0;
  const execute: Execute = async (options, { passesArguments }, command) => {
    if (passedArguments.length > 0 && !passesArguments) throw new CliError("USAGE", "This command doesn't take arguments after --.");
    const { timeoutMs } = options;
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop.abort(createTimeoutError(timeoutMs)), timeoutMs);
    try {
      const context = await openRunContext(options, invocation);
      exitCode =
        (await command(context).catch(async (error: unknown) => {
          throw await (await import("./cli/did-you-mean.ts")).withSuggestion(error, context);
        })) ?? 0;
    } finally {
      clearTimeout(timer);
    }
  };
  const program = createProgram(execute, io, words[0]);
  try {
    await program.parseAsync(words.length > 0 ? [...words] : ["--help"], { from: "user" });
  } catch (error) {
    const { toUsageError } = await import("./cli/usage-error.ts");
    const usageError = toUsageError(error, program, words);
    if (usageError) throw usageError;
  }
  return exitCode;
}

async function openRunContext(options: GlobalOptions, { words, passedArguments, io, signal }: Run): Promise<Context> {
  const [{ openTerminal }, { openContext }, { createFormatCommand, quoteCommand }] = await Promise.all([
    import("./terminal/terminal.ts"),
    import("./context/create-context.ts"),
    import("./context/format-command.ts"),
  ]);
  const { stdout, stderr, env, cwd, self } = io;
  const terminal = await openTerminal({
    ...options,
    get stdin() {
      return io.stdin;
    },
    stdout,
    stderr,
    env,
    signal,
    formatCommand: (step, folder) => quoteCommand(createFormatCommand(io, words)(step, folder)),
  });
  const stdin: Context["stdin"] = { [Symbol.asyncIterator]: () => io.stdin[Symbol.asyncIterator]() };
  return openContext({ options, terminal, stdin, env, cwd, self, signal, passedArguments });
}

function createTimeoutError(timeoutMs: number): CliError {
  return new CliError("TIMEOUT", `Timed out after ${timeoutMs / 1000} s.`, { hint: "To wait longer, increase --timeout." });
}
