import type { ChalkInstance } from "chalk";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { CliError } from "../errors/cli-error.ts";
import { redact } from "../errors/redact.ts";

/** stdout gets results; stderr gets progress, notes, and errors. */
export interface Terminal {
  /** True if a person can answer: stderr and stdin are capable terminals, and it's neither CI nor `--json`. */
  readonly interactive: boolean;
  /** True if questions that have a default are asked: interactive, without `--yes`. */
  readonly asks: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
  /** stdout: text or bytes, unchanged. */
  print(text: string | Uint8Array): void;
  /** stdout: bytes as they arrive, and no faster than the reader takes them. */
  printStream(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** stdout: one JSON document with two-space indent. */
  printJson(value: unknown): void;
  /** stdout: aligned columns, or tabs between cells if stdout isn't a terminal. */
  printTable(rows: readonly (readonly string[])[]): void;
  /** Styles text for stdout, if stdout has colors. */
  style(name: Style, text: string): string;
  /** stderr, unless `--quiet`. */
  note(text: string): void;
  /** stderr. */
  warn(text: string): void;
  /** stderr, under `--verbose` only, with tokens redacted. */
  debug(text: string): void;
  /** stderr, on GitHub Actions only: hides a secret in the rest of the job's log. */
  mask(secret: string): void;
  /**
   * stderr: a spinner with the elapsed time if interactive, and a line when the work is done. Reported progress follows the spinner; without a
   * spinner it is a line, at most every ten seconds.
   */
  task<T>(title: string, work: (report: (progress: string) => void) => Promise<T>): Promise<T>;
  /** Asks yes or no. Yes under `--yes`. Throws USAGE, which names `--yes`, if no one can answer. */
  confirm(question: string): Promise<boolean>;
  /** Offers help, yes or no. Yes under `--yes`; no if no one can answer. */
  offer(question: string): Promise<boolean>;
  /** Asks for a line until it is valid. Throws USAGE, which names `flag`, if no one can answer. */
  ask(question: string, options: AskOptions): Promise<string>;
  /** Asks for one of several choices. The first one under `--yes`. Throws USAGE, which names `flag`, if no one can answer. */
  choose(question: string, options: { flag: string; choices: readonly Choice[] }): Promise<string>;
}

interface AskOptions {
  readonly flag: string;
  readonly initial?: string;
  /** Says in a sentence why an answer isn't valid. */
  readonly fault?: (answer: string) => string | undefined;
}

export interface Choice {
  readonly value: string;
  readonly label?: string;
  /** Shown beside the choice while it is selected. */
  readonly hint?: string;
}

const PROGRESS_PAUSE_MS = 10_000;

type Style = "bold" | "cyan" | "dim" | "green" | "red" | "yellow";

export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
}

interface TerminalOptions extends Streams {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
  readonly yes?: boolean;
  /** False under `--no-color`. */
  readonly color?: boolean;
  /** Ends an unanswered question. */
  readonly signal?: AbortSignal;
}

/** Opens a terminal on the streams. chalk, ora, and the prompts load only if a person sees them. */
export async function openTerminal(options: TerminalOptions): Promise<Terminal> {
  const { stdout, stderr, env, json = false, verbose = false, quiet = false, yes = false, signal } = options;
  // stdin comes last, since opening it takes a while and few commands read it.
  const interactive =
    Boolean(stderr.isTTY) && env.TERM !== "dumb" && (!env.CI || env.CI === "false") && !json && Boolean(options.stdin.isTTY);
  const [paint, stdoutPaint] = await Promise.all([openPaint(options), openPaint({ stderr: stdout, env, color: options.color })]);
  const promptStreams = () => ({ input: options.stdin, output: paint ? stderr : withoutColors(stderr), ...(signal && { signal }) });
  // If the disk is full or the reader has gone, output is lost, but the command goes on: a background emulator logs to a file.
  stderr.on("error", () => {});
  const printLine = (text: string) => void stderr.write(`${text}\n`);
  let spinner: Spinner | undefined;
  /** Stops the spinner during a question. */
  const withoutSpinner = async <T>(ask: () => Promise<T>): Promise<T> => {
    spinner?.stop();
    try {
      return await ask();
    } finally {
      spinner?.start();
    }
  };
  const confirm = (question: string): Promise<boolean> =>
    withoutSpinner(async () => {
      const { confirm, isCancel } = await import("@clack/prompts");
      const answer = await confirm({ message: question, ...promptStreams() });
      if (isCancel(answer)) throw interrupted();
      return answer;
    });

  return {
    interactive,
    asks: interactive && !yes,
    json,
    verbose,
    quiet,
    print: (text) => void stdout.write(text),
    async printStream(chunks, signal) {
      for await (const chunk of chunks) if (!stdout.write(chunk)) await once(stdout, "drain", { signal });
    },
    printJson: (value) => void stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    printTable: (rows) => void stdout.write(table(rows, stdout.isTTY === true)),
    style: (name, text) => (stdoutPaint ? stdoutPaint[name](text) : text),
    note(text) {
      if (!quiet) printLine(text);
    },
    warn: (text) => printLine(`${paint ? paint.yellow("warning:") : "warning:"} ${redact(text)}`),
    debug(text) {
      if (verbose) printLine(paint ? paint.dim(redact(text)) : redact(text));
    },
    // https://docs.github.com/actions/reference/workflow-commands-for-github-actions#masking-a-value-in-a-log; the runner reads both streams.
    mask(secret) {
      if (env.GITHUB_ACTIONS === "true") printLine(`::add-mask::${secret}`);
    },
    async task(title, work) {
      if (quiet) return work(() => {});
      const startedAt = performance.now();
      const elapsed = () => `(${((performance.now() - startedAt) / 1000).toFixed(1)} s)`;
      // A task within a task has no spinner of its own. In a terminal without a width, ora would never stop writing.
      let progress = "";
      const suffix = () => (progress ? `${elapsed()} ${progress}` : elapsed());
      const ownSpinner =
        interactive && !spinner && stderr.columns !== 0
          ? (spinner = await startSpinner(stderr, title, suffix, paint !== undefined))
          : undefined;
      let nextLineAt = 0;
      const report = (text: string): void => {
        progress = text;
        if (ownSpinner || performance.now() < nextLineAt) return;
        nextLineAt = performance.now() + PROGRESS_PAUSE_MS;
        printLine(text);
      };
      let symbol = "✖";
      try {
        const result = await work(report);
        symbol = "✔";
        return result;
      } finally {
        if (ownSpinner) {
          ownSpinner.stop();
          spinner = undefined;
        }
        printLine(`${paint ? paint[symbol === "✔" ? "green" : "red"](symbol) : symbol} ${title} ${elapsed()}`);
      }
    },
    async confirm(question) {
      if (yes) return true;
      if (!interactive) throw unanswered(question, "--yes");
      return confirm(question);
    },
    offer: async (question) => yes || (interactive && confirm(question)),
    async ask(question, { flag, initial, fault }) {
      if (yes && initial !== undefined) return initial;
      if (!interactive) throw unanswered(question, flag);
      return withoutSpinner(async () => {
        const { isCancel, text } = await import("@clack/prompts");
        const answer = await text({
          message: question,
          initialValue: initial,
          validate: (line) => fault?.(line ?? ""),
          ...promptStreams(),
        });
        if (isCancel(answer)) throw interrupted();
        return answer ?? "";
      });
    },
    async choose(question, { flag, choices }) {
      if (yes && choices[0]) return choices[0].value;
      if (!interactive) throw unanswered(question, flag);
      return withoutSpinner(async () => {
        const { isCancel, select } = await import("@clack/prompts");
        const answer = await select({ message: question, options: [...choices], maxItems: 8, ...promptStreams() });
        if (isCancel(answer)) throw interrupted();
        return answer;
      });
    },
  };
}

/** Opens colors for a stream; undefined if it has none. See https://no-color.org and https://force-color.org. */
export async function openPaint({
  stderr,
  env,
  color = true,
}: Pick<TerminalOptions, "stderr" | "env" | "color">): Promise<ChalkInstance | undefined> {
  if (!color || env.NO_COLOR || env.FORCE_COLOR === "0") return undefined;
  if (!env.FORCE_COLOR && (!stderr.isTTY || env.TERM === "dumb")) return undefined;
  const { Chalk } = await import("chalk");
  return new Chalk({ level: 1 });
}

interface Spinner {
  start(): unknown;
  stop(): unknown;
}

async function startSpinner(stream: Writable, title: string, elapsed: () => string, hasColor: boolean): Promise<Spinner> {
  const { default: ora } = await import("ora");
  const color = hasColor ? "cyan" : false;
  return ora({ text: title, suffixText: elapsed, color, stream: stream as NodeJS.WritableStream, discardStdin: false }).start();
}

/** The stream without colors for the prompts, which decide on colors themselves. Inverse text stays: it shows the cursor. */
function withoutColors<Stream extends Writable>(stream: Stream): Stream {
  const write = (text: unknown, ...rest: never[]) =>
    stream.write(typeof text === "string" ? text.replaceAll(COLOR_SEQUENCES, "") : text, ...rest);
  return new Proxy(stream, {
    get(target, name) {
      if (name === "write") return write;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

// oxlint-disable-next-line no-control-regex -- escape sequences are what it removes
const COLOR_SEQUENCES = /\u001B\[(?!2?7m)[\d;]*m/g;

function table(rows: readonly (readonly string[])[], aligned: boolean): string {
  if (!aligned) return rows.map((row) => `${row.join("\t")}\n`).join("");
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, stripVTControlCharacters(cell).length);
  }
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function unanswered(question: string, flag: string): CliError {
  return new CliError("USAGE", `"${question}" needs an answer, and nobody is here to give it.`, {
    hint: `Say it on the command line: ${flag}`,
  });
}

function interrupted(): CliError {
  return new CliError("INTERRUPTED", "Interrupted.");
}
