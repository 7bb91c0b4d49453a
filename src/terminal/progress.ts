import type { ChalkInstance } from "chalk";
import type { Writable } from "node:stream";
import { formatDuration } from "./duration.ts";

/** Shows what work is doing at the moment: "Waiting for the build to start (up to 10 minutes)". */
export type Tell = (progress: string) => void;

/** How a step is described: "Building image", "Built hello:v2", "Build failed". */
export interface StepText<T> {
  readonly running: string;
  readonly done: string | ((result: T) => string);
  readonly failed?: string;
}

export interface Progress {
  /** Prints a line above the spinner. */
  print(text: string): void;
  step<T>(text: StepText<T>, work: (tell: Tell) => Promise<T>): Promise<T>;
  wait<T>(running: string, work: (tell: Tell) => Promise<T>): Promise<T>;
  /** Something else has the terminal until it is done. */
  pause<T>(work: () => Promise<T>): Promise<T>;
}

interface ProgressOptions {
  readonly stderr: Writable & { readonly columns?: number };
  /** Whether a person watches: they get a spinner. */
  readonly interactive: boolean;
  readonly quiet: boolean;
  readonly colors: ChalkInstance | undefined;
}

const PROGRESS_LINE_PAUSE_MS = 10_000;
const MIN_SHOWN_DURATION_MS = 1000;

export function createProgress({ stderr, interactive, quiet, colors }: ProgressOptions): Progress {
  let spinner: Spinner | undefined;
  const print = (text: string) => {
    spinner?.stop();
    stderr.write(`${text}\n`);
    spinner?.start();
  };

  /** Runs the work behind a spinner. Without one, each thing that the work tells is a line, and the next one ten seconds later. */
  async function run<T>(running: string, work: (tell: Tell) => Promise<T>): Promise<T> {
    const started = performance.now();
    let progress = "";
    const suffix = () => {
      const time = `(${formatDuration(performance.now() - started)})`;
      const roomForProgress = Math.max(0, (stderr.columns ?? 80) - running.length - time.length - 6);
      return `${time} ${progress.length > roomForProgress ? `${progress.slice(0, roomForProgress - 1)}…` : progress}`.trimEnd();
    };
    // A step within a step leaves the spinner to the outer one. In a terminal without a width, ora would write without end.
    const own = interactive && !spinner && stderr.columns !== 0 ? await startSpinner(stderr, `${running}…`, suffix, colors) : undefined;
    spinner ??= own;
    let silentUntil = 0;
    const tell = (text: string): void => {
      progress = text;
      if (spinner || performance.now() < silentUntil) return;
      silentUntil = performance.now() + PROGRESS_LINE_PAUSE_MS;
      print(`${running}: ${text}`);
    };
    try {
      return await work(tell);
    } finally {
      if (own) {
        own.stop();
        spinner = undefined;
      }
    }
  }

  return {
    print,
    wait: (running, work) => (quiet ? work(() => {}) : run(running, work)),
    async step({ running, done, failed = `${running} failed` }, work) {
      if (quiet) return work(() => {});
      const started = performance.now();
      const line = (isDone: boolean, text: string) => {
        const sign = isDone ? "✓" : "✗";
        const durationMs = performance.now() - started;
        const duration = durationMs < MIN_SHOWN_DURATION_MS ? "" : ` (${formatDuration(durationMs)})`;
        print(`${colors ? colors[isDone ? "green" : "red"](sign) : sign} ${text}${duration}`);
      };
      try {
        const result = await run(running, work);
        line(true, typeof done === "string" ? done : done(result));
        return result;
      } catch (error) {
        line(false, failed);
        throw error;
      }
    },
    async pause(work) {
      spinner?.stop();
      try {
        return await work();
      } finally {
        spinner?.start();
      }
    },
  };
}

interface Spinner {
  start(): unknown;
  stop(): unknown;
}

async function startSpinner(stream: Writable, text: string, suffixText: () => string, colors: ChalkInstance | undefined): Promise<Spinner> {
  const { default: ora } = await import("ora");
  const color = colors ? "cyan" : false;
  return ora({ text, suffixText, color, stream: stream as NodeJS.WritableStream, discardStdin: false }).start();
}
