import type { NextStep } from "../errors/next-step.ts";
import type { ProcessIo } from "./process-io.ts";
import { programName } from "./program-name.ts";
import { relativePath } from "./relative-path.ts";

/** Writes a command out so that it can be pasted in this folder or another: started as this tool was, and acting on what this command acted on. */
export type FormatCommand = (step: Pick<NextStep, "command" | "program">, folder?: string) => readonly string[];

interface CarriedFlag {
  readonly names: readonly string[];
  /** The commands that the flag means something to; all of them by default. */
  readonly isFor?: (command: readonly string[]) => boolean;
}

/** Commands that act on no project's resources. */
const LOCAL_COMMANDS = new Set(["emulator", "config", "completion", "help", "version", "init"]);
const isRemote = ([name = ""]: readonly string[]) => !LOCAL_COMMANDS.has(name);
const isForService = (command: readonly string[]) => isRemote(command) && !["list", "accounts", "keys"].includes(command[0] ?? "");

/** The flags that decide what a command acts on: the next command needs them too. All but --emulator take a value. */
const CARRIED_FLAGS: readonly CarriedFlag[] = [
  { names: ["-C", "--cwd"] },
  { names: ["--profile"], isFor: ([noun, verb = ""]) => noun !== "config" || !["delete", "profiles", "use"].includes(verb) },
  { names: ["--emulator"], isFor: isRemote },
  { names: ["--via"], isFor: isRemote },
  // A command for the emulator after one for the cloud is for the emulator's own project.
  { names: ["-p", "--project"], isFor: (command) => isRemote(command) && !command.includes("--emulator") },
  { names: ["-r", "--region"], isFor: isRemote },
  { names: ["-s", "--service"], isFor: isForService },
  { names: ["--data-dir"], isFor: ([name]) => name === "emulator" },
];

/** `argv` is the command line that ran, without what follows `--`. */
export function createFormatCommand({ env, self, cwd }: Pick<ProcessIo, "env" | "self" | "cwd">, argv: readonly string[]): FormatCommand {
  const passed = CARRIED_FLAGS.flatMap((flag) => {
    const words = readFlag(flag.names, argv);
    return words ? [{ ...flag, words }] : [];
  });
  return ({ command, program }, folder = cwd) => {
    if (program === "cd") return [program, relativePath(cwd, folder)];
    if (program !== undefined) return [program, ...command];
    const carried = passed.filter(
      ({ names, isFor = () => true, words }) =>
        isFor(command) &&
        ![...names, "--help"].some((name) => command.includes(name) || (name === "--cwd" && folder !== cwd)) &&
        !(isFor === isForService && command.includes(words[1] ?? "")),
    );
    const end = command.includes("--") ? command.indexOf("--") : command.length;
    const flags = carried.flatMap(({ words }) => words);
    return [...programName({ env, self }, folder), ...command.slice(0, end), ...flags, ...command.slice(end)];
  };
}

/** The flag as it was passed, in two words if it has a value; the last one counts. */
function readFlag(names: readonly string[], argv: readonly string[]): readonly string[] | undefined {
  for (const [index, word] of [...argv.entries()].toReversed()) {
    for (const name of names) {
      const value = argv[index + 1];
      if (word === name && name === "--emulator") return [name];
      if (word === name && value !== undefined) return [name, value];
      const prefix = name.startsWith("--") ? `${name}=` : name;
      if (word.startsWith(prefix) && word.length > prefix.length) return [name, word.slice(prefix.length)];
    }
  }
  return undefined;
}

/** A command line for a POSIX shell. */
export function quoteCommand(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
