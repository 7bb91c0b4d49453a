import type { ChalkInstance } from "chalk";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { CliError } from "../errors/cli-error.ts";
import { redact } from "../errors/redact.ts";

/** stdout carries what was asked for; stderr carries everything said along the way. */
export interface Terminal {
  /** A person sits in front: stderr and stdin are terminals that can do more than print, not CI, not `--json`. */
  readonly interactive: boolean;
  /** The same, and without `--yes`: what has a default is worth a question. */
  readonly asks: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
  /** stdout: text or bytes as they are. */
  print(text: string | Uint8Array): void;
  /** stdout: bytes as they come, and no faster than they are read. */
  printStream(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** stdout: one JSON document with two-space indent. */
  printJson(value: unknown): void;
  /** stdout: aligned columns; tab-separated where stdout is no terminal. */
  printTable(rows: readonly (readonly string[])[]): void;
  /** A piece of what is printed on stdout, in a colour where a person sees it. */
  style(name: Style, text: string): string;
  /** stderr, unless `--quiet`. */
  note(text: string): void;
  /** stderr. */
  warn(text: string): void;
  /** stderr under `--verbose`; tokens in it are redacted. */
  debug(text: string): void;
  /** stderr, on GitHub Actions only: a secret that the job's log is not to show from here on. */
  mask(secret: string): void;
  /**
   * stderr: a spinner with the elapsed time where interactive, a line when it is done otherwise. What the work tells of its progress stands behind
   * the spinner; without one it is a line, and the next one ten seconds later.
   */
  task<T>(title: string, work: (tell: (progress: string) => void) => Promise<T>): Promise<T>;
  /** Asks yes or no. Yes under `--yes`; USAGE that says `--yes` where nobody can answer. */
  confirm(question: string): Promise<boolean>;
  /** Asks yes or no about what might help. Yes under `--yes`; no where nobody can answer. */
  offer(question: string): Promise<boolean>;
  /** Asks for a line, until `fault` has nothing to say against it. USAGE that names `flag` where nobody can answer. */
  ask(question: string, options: AskOptions): Promise<string>;
  /** Asks for one of several; the first is proposed. The proposed one under `--yes`; USAGE that names `flag` where nobody can answer. */
  choose(question: string, options: { flag: string; choices: readonly Choice[] }): Promise<string>;
}

interface AskOptions {
  readonly flag: string;
  readonly initial?: string;
  /** What is wrong with an answer, as a sentence. */
  readonly fault?: (answer: string) => string | undefined;
}

export interface Choice {
  readonly value: string;
  readonly label?: string;
  /** Shown beside it where it is about to be chosen. */
  readonly hint?: string;
}

/** Milliseconds between two lines of progress. */
const SILENCE = 10_000;

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
  /** Ends a question that nobody has answered. */
  readonly signal?: AbortSignal;
}

/** Talks over the given streams. chalk, ora and the prompts are loaded where a person will see them, and only then. */
export async function openTerminal(options: TerminalOptions): Promise<Terminal> {
  const { stdout, stderr, env, json = false, verbose = false, quiet = false, yes = false, signal } = options;
  // stdin comes last: to open it takes a while, and few commands read it.
  const interactive =
    Boolean(stderr.isTTY) && env.TERM !== "dumb" && (!env.CI || env.CI === "false") && !json && Boolean(options.stdin.isTTY);
  const [paint, stdoutPaint] = await Promise.all([openPaint(options), openPaint({ stderr: stdout, env, color: options.color })]);
  const at = () => ({ input: options.stdin, output: paint ? stderr : withoutColours(stderr), ...(signal && { signal }) });
  // A full disk or a reader that went away loses what is said, and ends nothing: a detached emulator's log lies on a disk.
  stderr.on("error", () => {});
  const say = (text: string) => void stderr.write(`${text}\n`);
  let spinner: Spinner | undefined;
  /** A question has the terminal to itself. */
  const alone = async <T>(ask: () => Promise<T>): Promise<T> => {
    spinner?.stop();
    try {
      return await ask();
    } finally {
      spinner?.start();
    }
  };
  const confirm = (question: string): Promise<boolean> =>
    alone(async () => {
      const { confirm, isCancel } = await import("@clack/prompts");
      const answer = await confirm({ message: question, ...at() });
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
      if (!quiet) say(text);
    },
    warn: (text) => say(`${paint ? paint.yellow("warning:") : "warning:"} ${redact(text)}`),
    debug(text) {
      if (verbose) say(paint ? paint.dim(redact(text)) : redact(text));
    },
    // https://docs.github.com/actions/reference/workflow-commands-for-github-actions#masking-a-value-in-a-log; the runner reads both streams.
    mask(secret) {
      if (env.GITHUB_ACTIONS === "true") say(`::add-mask::${secret}`);
    },
    async task(title, work) {
      if (quiet) return work(() => {});
      const started = performance.now();
      const elapsed = () => `(${((performance.now() - started) / 1000).toFixed(1)} s)`;
      // A task within a task gets its line, and leaves the spinner to the outer one. In a terminal without a width ora would write without end.
      let progress = "";
      const after = () => (progress ? `${elapsed()} ${progress}` : elapsed());
      const own =
        interactive && !spinner && stderr.columns !== 0
          ? (spinner = await startSpinner(stderr, title, after, paint !== undefined))
          : undefined;
      let silentUntil = 0;
      const tell = (text: string): void => {
        progress = text;
        if (own || performance.now() < silentUntil) return;
        silentUntil = performance.now() + SILENCE;
        say(text);
      };
      let sign = "✖";
      try {
        const result = await work(tell);
        sign = "✔";
        return result;
      } finally {
        if (own) {
          own.stop();
          spinner = undefined;
        }
        say(`${paint ? paint[sign === "✔" ? "green" : "red"](sign) : sign} ${title} ${elapsed()}`);
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
      return alone(async () => {
        const { isCancel, text } = await import("@clack/prompts");
        const answer = await text({ message: question, initialValue: initial, validate: (line) => fault?.(line ?? ""), ...at() });
        if (isCancel(answer)) throw interrupted();
        return answer ?? "";
      });
    },
    async choose(question, { flag, choices }) {
      if (yes && choices[0]) return choices[0].value;
      if (!interactive) throw unanswered(question, flag);
      return alone(async () => {
        const { isCancel, select } = await import("@clack/prompts");
        const answer = await select({ message: question, options: [...choices], maxItems: 8, ...at() });
        if (isCancel(answer)) throw interrupted();
        return answer;
      });
    },
  };
}

/** Colours for stderr, or undefined where there are to be none. See https://no-color.org and https://force-color.org. */
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

async function startSpinner(stream: Writable, title: string, elapsed: () => string, isColoured: boolean): Promise<Spinner> {
  const { default: ora } = await import("ora");
  const color = isColoured ? "cyan" : false;
  return ora({ text: title, suffixText: elapsed, color, stream: stream as NodeJS.WritableStream, discardStdin: false }).start();
}

/** The stream as the prompts are to see it, which look for themselves whether there are to be colours. What is inverse is where the cursor is. */
function withoutColours<Stream extends Writable>(stream: Stream): Stream {
  const write = (text: unknown, ...rest: never[]) => stream.write(typeof text === "string" ? text.replaceAll(COLOURS, "") : text, ...rest);
  return new Proxy(stream, {
    get(target, name) {
      if (name === "write") return write;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

// oxlint-disable-next-line no-control-regex -- these are what is looked for
const COLOURS = /\u001B\[(?!2?7m)[\d;]*m/g;

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
