import { faulty, readFlags, readJsonForm, refused, type Instruction } from "./dockerfile.ts";
import { splitCommands, WordError, type Scope } from "./shell-words.ts";

const NPM_VERBS = new Set(["ci", "clean-install", "install", "i", "run", "run-script", "prune", "rebuild", "version", "pkg"]);
const PIPS = new Set(["pip", "pip3"]);
const PYTHONS = new Set(["python", "python3"]);

const HINT = "It runs `npm ci`, `npm install`, `npm run …` and `pip install …`, joined by `&&`";

/**
 * Reads a RUN into the commands that it combines, each as its words.
 * Throws a BuildError for everything but package managers: what else runs would run on this machine, not in an image.
 */
export function readRun(instruction: Instruction, lookup: Scope["lookup"]): string[][] {
  const { flags, rest } = readFlags(instruction.rest);
  for (const [name, value] of flags) {
    // A cache mount only makes a build faster: the machine's own caches do as well.
    if (name === "mount" && /(^|,)type=cache(,|$)/.test(value)) continue;
    throw refused(instruction, `does not know RUN --${name}`, "Leave it out");
  }
  if (rest === "") throw faulty(instruction, "RUN requires at least one argument.");

  const exec = readJsonForm(rest);
  const commands = exec ? [exec] : split(instruction, rest, lookup);
  for (const command of commands) {
    if (command.length === 0) throw faulty(instruction, "There is nothing to run before or after `&&`.");
    if (!isPackageManager(command)) throw refused(instruction, `does not run \`${command.slice(0, 2).join(" ")}\``, HINT);
  }
  return commands;
}

function split(instruction: Instruction, text: string, lookup: Scope["lookup"]): string[][] {
  try {
    return splitCommands(text, lookup);
  } catch (error) {
    if (error instanceof WordError) throw refused(instruction, `runs programs without a shell: ${error.message}`, HINT);
    throw error;
  }
}

function isPackageManager(command: readonly string[]): boolean {
  const pip = pipArguments(command);
  if (pip) return ["install", "check", "--version"].includes(pip.find((word) => word === "--version" || !word.startsWith("-")) ?? "");
  if (command[0] !== "npm") return false;
  const [verb = "", next] = command.slice(1).filter((word) => !word.startsWith("-"));
  return NPM_VERBS.has(verb) || (verb === "cache" && next === "clean");
}

/** What a command tells pip, or undefined where it is not for pip. */
export function pipArguments(command: readonly string[]): readonly string[] | undefined {
  const [program = "", flag, module] = command;
  if (PIPS.has(program)) return command.slice(1);
  if (PYTHONS.has(program) && flag === "-m" && module === "pip") return command.slice(3);
  return undefined;
}
