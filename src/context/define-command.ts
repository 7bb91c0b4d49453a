import type { Command } from "commander";
import type { Context } from "./context.ts";
import type { GlobalOptions } from "../context/global-options.ts";

/** What a command's file exports: its arguments and options follow the context; it may resolve to an exit code. */
type CommandFunction = (context: Context, ...args: never[]) => Promise<number | void>;

type Flags = Readonly<Record<string, unknown>>;

interface Needs {
  /** Whether what stands behind `--` means something to the command. */
  readonly takesRest: boolean;
}

/** Opens a context for the options and runs a command in it. */
export type Execute = (options: GlobalOptions, needs: Needs, run: (context: Context) => Promise<number | void>) => Promise<void>;

/** A commander action that loads the command's code, which its flags may decide on, and calls it with what commander has parsed. */
export function run(execute: Execute, load: (options: Flags) => Promise<CommandFunction>, needs: Needs = { takesRest: false }) {
  return (...received: unknown[]): Promise<void> => {
    const command = received.at(-1) as Command;
    return execute(command.optsWithGlobals(), needs, async (context) =>
      (await load(command.opts()))(context, ...(received.slice(0, -1) as never[])),
    );
  };
}

/** Ends a command's help with lines to copy. */
export function withExamples(command: Command, examples: readonly (readonly [line: string, meaning?: string])[]): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, meaning]) => `  ${meaning ? `${line.padEnd(width)}  # ${meaning}` : line}`);
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

/** Collects an option that may be repeated. */
export function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}
