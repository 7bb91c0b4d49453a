import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { externalStep, type NextStep } from "../errors/next-step.ts";
import { redact } from "../errors/redact.ts";
import { openColors, withoutColors } from "./color.ts";
import { formatValues, type Format } from "./format-values.ts";
import { createProgress, type Progress } from "./progress.ts";
import { createPrompts, type Prompts } from "./prompts.ts";
import { formatTable } from "./table.ts";

/** stdout carries results; stderr carries progress, notes, prompts, and errors. */
export interface Terminal extends Pick<Progress, "step" | "wait">, Prompts {
  /** Whether a person watches: stderr and stdin are terminals with cursor control, outside of CI and without `--json`. */
  readonly interactive: boolean;
  /** Whether questions that have a default are worth asking: interactive, and without `--yes`. */
  readonly asks: boolean;
  readonly json: boolean;
  readonly format: Format;
  readonly verbose: boolean;
  readonly quiet: boolean;
  /** stdout: text or bytes as they are. */
  print(text: string | Uint8Array): void;
  /** stdout: bytes as they come, and no faster than they are read. */
  printStream(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** stdout: one JSON document, indented by two spaces, or the values that `--format` selects in it. */
  printJson(value: unknown): void;
  /** stdout: a table with a header, cut to the terminal's width; in a pipe, rows with tabs, without a header, uncut. */
  printTable(rows: readonly (readonly string[])[], options?: PrintTableOptions): void;
  /** Text for stdout with a style, if stdout shows colors. */
  style(name: Style, text: string): string;
  /** stderr, unless `--quiet` is passed. */
  note(text: string): void;
  /** stderr, unless `--quiet` is passed: the commands that people usually run next, in a folder that they have to go to first if it is given. */
  nextSteps(steps: readonly NextStep[], folder?: string): void;
  /** A command as it can be pasted, for use within a note. */
  formatCommand(step: Pick<NextStep, "command" | "program">, folder?: string): string;
  /** stderr. */
  warn(text: string): void;
  /** stderr, with `--verbose`; tokens are redacted. */
  debug(text: string): void;
  /** stderr, on GitHub Actions only: keeps a secret out of the job's log from here on. */
  mask(secret: string): void;
}

interface PrintTableOptions {
  /** The columns' names; without them, the table is a list of facts. */
  readonly header?: readonly string[];
  /** The rows for a pipe, if they differ: exact times, plain words. */
  readonly piped?: readonly (readonly string[])[];
}

type Style = "bold" | "cyan" | "dim" | "green" | "red" | "yellow";

export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
}

interface TerminalOptions extends Streams {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly json?: boolean;
  readonly format?: Format;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
  readonly yes?: boolean;
  /** False under `--no-color`. */
  readonly color?: boolean;
  /** Ends a question that is waiting for an answer. */
  readonly signal?: AbortSignal;
  readonly formatCommand?: Terminal["formatCommand"];
}

/** A terminal over the given streams. The packages for color, spinners and prompts are loaded when a person sees them. */
export async function openTerminal(options: TerminalOptions): Promise<Terminal> {
  const { stdout, stderr, env, format = "table", verbose = false, quiet = false, yes = false, signal } = options;
  const json = options.json || format !== "table";
  const formatCommand = options.formatCommand ?? (({ program = "cloudrun-oauth", command }) => [program, ...command].join(" "));
  // stdin comes last: opening it takes a while, and few commands read it.
  const interactive =
    Boolean(stderr.isTTY) && env.TERM !== "dumb" && (!env.CI || env.CI === "false") && !json && Boolean(options.stdin.isTTY);
  const [colors, stdoutColors] = await Promise.all([
    openColors({ stream: stderr, env, color: options.color }),
    openColors({ stream: stdout, env, color: options.color }),
  ]);
  // A full disk or a reader that went away loses output, and ends nothing: a detached emulator's log lies on a disk.
  stderr.on("error", () => {});
  const progress = createProgress({ stderr, interactive, quiet, colors });
  const { print: printError } = progress;
  const streams = () => ({ input: options.stdin, output: colors ? stderr : withoutColors(stderr), ...(signal && { signal }) });

  return {
    interactive,
    asks: interactive && !yes,
    json,
    format,
    verbose,
    quiet,
    formatCommand,
    print: (text) => void stdout.write(text),
    async printStream(chunks, signal) {
      for await (const chunk of chunks) if (!stdout.write(chunk)) await once(stdout, "drain", { signal });
    },
    printJson: (value) =>
      void stdout.write(typeof format === "string" ? `${JSON.stringify(value, null, 2)}\n` : formatValues(value, format)),
    printTable(rows, { header, piped = rows } = {}) {
      const width = stdout.isTTY ? stdout.columns || 80 : undefined;
      stdout.write(formatTable(header, width === undefined ? piped : rows, { width, paintHeader: stdoutColors?.dim }));
    },
    style: (name, text) => (stdoutColors ? stdoutColors[name](text) : text),
    note(text) {
      if (!quiet) printError(text);
    },
    nextSteps(steps, folder) {
      if (quiet || json) return;
      printError("\nNext steps:");
      const all = folder === undefined ? steps : [externalStep("To go to its directory", "cd"), ...steps];
      for (const step of all) {
        const command = formatCommand(step, folder);
        if (command === "cd .") continue;
        printError(`  ${step.text}:\n    ${step.isEvaluated ? `eval "$(${command})"` : command}`);
      }
    },
    warn: (text) => printError(`${colors ? colors.yellow("Warning:") : "Warning:"} ${redact(text)}`),
    debug(text) {
      if (verbose) printError(colors ? colors.dim(redact(text)) : redact(text));
    },
    // https://docs.github.com/actions/reference/workflow-commands-for-github-actions#masking-a-value-in-a-log; the runner reads both streams.
    mask(secret) {
      if (env.GITHUB_ACTIONS === "true") printError(`::add-mask::${secret}`);
    },
    step: progress.step,
    wait: progress.wait,
    ...createPrompts({ streams, interactive, yes, progress }),
  };
}
