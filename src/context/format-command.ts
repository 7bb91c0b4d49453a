import type { NextStep } from "../errors/next-step.ts";
import type { ProcessIo } from "./process-io.ts";
import { programName } from "./program-name.ts";

/** Writes a command out so that it can be pasted: started as this tool was, and acting on what this command acted on. */
export type FormatCommand = (step: Pick<NextStep, "command" | "program">) => readonly string[];

interface CarriedFlag {
  readonly names: readonly string[];
  readonly takesValue: boolean;
  /** The commands that the flag means something to; all of them by default. */
  readonly isFor?: (command: readonly string[]) => boolean;
}

/** Commands that act on no project's resources. */
const LOCAL_COMMANDS = new Set(["emulator", "config", "completion", "help", "init"]);
const isRemote = ([name = ""]: readonly string[]) => !LOCAL_COMMANDS.has(name);
const isForService = (command: readonly string[]) => isRemote(command) && !["list", "accounts", "keys"].includes(command[0] ?? "");

/** The flags that decide what a command acts on: the next command needs them too. */
const CARRIED_FLAGS: readonly CarriedFlag[] = [
  { names: ["-C", "--cwd"], takesValue: true },
  {
    names: ["--profile"],
    takesValue: true,
    isFor: ([noun, verb = ""]) => noun !== "config" || !["delete", "profiles", "use"].includes(verb),
  },
  { names: ["--emulator"], takesValue: false, isFor: isRemote },
  { names: ["--via"], takesValue: true, isFor: isRemote },
  { names: ["-p", "--project"], takesValue: true, isFor: isRemote },
  { names: ["-r", "--region"], takesValue: true, isFor: isRemote },
  { names: ["-s", "--service"], takesValue: true, isFor: isForService },
  { names: ["--data-dir"], takesValue: true, isFor: ([name]) => name === "emulator" },
];

/** `argv` is the command line that ran, without what follows `--`. */
export function createFormatCommand({ env, self, cwd }: Pick<ProcessIo, "env" | "self" | "cwd">, argv: readonly string[]): FormatCommand {
  const passed = CARRIED_FLAGS.flatMap((flag) => {
    const words = readFlag(flag, argv);
    return words ? [{ flag, words }] : [];
  });
  return ({ command, program }) => {
    if (program !== undefined) return [program, ...command];
    const carried = passed.filter(
      ({ flag, words }) =>
        (flag.isFor?.(command) ?? true) &&
        !flag.names.some((name) => command.includes(name)) &&
        !(flag.isFor === isForService && command.includes(words[1] ?? "")),
    );
    const end = command.includes("--") ? command.indexOf("--") : command.length;
    const flags = carried.flatMap(({ words }) => words);
    return [...programName({ env, self }, cwd), ...command.slice(0, end), ...flags, ...command.slice(end)];
  };
}

/** The flag as it was passed, in two words; the last one counts. */
function readFlag({ names, takesValue }: CarriedFlag, argv: readonly string[]): readonly string[] | undefined {
  for (let index = argv.length - 1; index >= 0; index -= 1) {
    const word = argv[index] ?? "";
    for (const name of names) {
      if (word === name) {
        const value = argv[index + 1];
        if (!takesValue) return [name];
        if (value !== undefined) return [name, value];
      }
      if (takesValue && name.startsWith("--") && word.startsWith(`${name}=`)) return [name, word.slice(name.length + 1)];
      if (takesValue && !name.startsWith("--") && word.startsWith(name) && word.length > 2 && !word.startsWith("--"))
        return [name, word.slice(2)];
    }
  }
  return undefined;
}

/** A command line for a POSIX shell. */
export function quoteCommand(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
