import type { NextStep } from "../errors/next-step.ts";
import { programName } from "./program-name.ts";

/** The global flags that decide what a command acts on, with their short and long names: the next command needs them too. */
const CARRIED_FLAGS: readonly (readonly [key: string, flag: string, long: string])[] = [
  ["cwd", "-C", "--cwd"],
  ["profile", "--profile", "--profile"],
  ["emulator", "--emulator", "--emulator"],
  ["via", "--via", "--via"],
  ["project", "-p", "--project"],
  ["region", "-r", "--region"],
  ["service", "-s", "--service"],
];

interface FormatOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly self: readonly string[];
  /** Where the person is. */
  readonly cwd: string;
  /** The flags of the command that ran, by their long names in camel case. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Writes a command of a hint out, so that it can be pasted: started as this tool was, on what this command acted on. */
export type FormatCommand = (step: Pick<NextStep, "command" | "program">) => readonly string[];

export function createFormatCommand({ env, self, cwd, flags }: FormatOptions): FormatCommand {
  return ({ command, program }) => {
    if (program !== undefined) return [program, ...command];
    const [name = "", ...rest] = command;
    return [...programName({ env, self }, cwd), name, ...rest, ...carriedFlags(command, flags)];
  };
}

function carriedFlags(command: readonly string[], flags: FormatOptions["flags"]): string[] {
  const [name] = command;
  const carried = CARRIED_FLAGS.filter(([key, short, long]) => {
    if (flags[key] === undefined || flags[key] === false || command.includes(short) || command.includes(long)) return false;
    // These act on the emulator as they are, or on settings.
    if (name === "emulator") return key === "cwd" || key === "profile";
    return true;
  });
  const data =
    name === "emulator" && typeof flags["dataDir"] === "string" && !command.includes("--data-dir") ? ["--data-dir", flags["dataDir"]] : [];
  return [...carried.flatMap(([key, flag]) => (flags[key] === true ? [flag] : [flag, String(flags[key])])), ...data];
}

/** A command line for a POSIX shell. */
export function quoteCommand(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
