import { instructionError, parseFlags, parseJsonForm, unsupported, type Instruction } from "./dockerfile.ts";
import { splitCommands, WordError, type Scope } from "./shell-words.ts";

const NPM_COMMANDS = new Set(["ci", "clean-install", "install", "i", "run", "run-script", "prune", "rebuild", "version", "pkg"]);
const PIP_PROGRAMS = new Set(["pip", "pip3"]);
const PYTHON_PROGRAMS = new Set(["python", "python3"]);

const HINT = "Use `npm ci`, `npm install`, `npm run …`, and `pip install …`, joined with `&&`";

/**
 * Parses a RUN into the commands that it combines, each as its words. Throws a BuildError for everything but package managers, because
 * other programs would run on the host, not in an image.
 */
export function parseRun(instruction: Instruction, lookup: Scope["lookup"]): string[][] {
  const { flags, rest } = parseFlags(instruction.rest);
  for (const [name, value] of flags) {
    // A cache mount only makes a build faster: the host's own caches do the same.
    if (name === "mount" && /(^|,)type=cache(,|$)/.test(value)) continue;
    throw unsupported(instruction, `doesn't support RUN --${name}`, "Remove it");
  }
  if (rest === "") throw instructionError(instruction, "RUN requires at least one argument.");

  const execForm = parseJsonForm(rest);
  const commands = execForm ? [execForm] : splitInstruction(instruction, rest, lookup);
  for (const command of commands) {
    if (command.length === 0) throw instructionError(instruction, "A command before or after `&&` is missing.");
    if (!isPackageManager(command)) throw unsupported(instruction, `doesn't run \`${command.slice(0, 2).join(" ")}\``, HINT);
  }
  return commands;
}

function splitInstruction(instruction: Instruction, text: string, lookup: Scope["lookup"]): string[][] {
  try {
    return splitCommands(text, lookup);
  } catch (error) {
    if (error instanceof WordError) throw unsupported(instruction, `runs programs without a shell: ${error.message}`, HINT);
    throw error;
  }
}

function isPackageManager(command: readonly string[]): boolean {
  const pip = pipArguments(command);
  if (pip) return ["install", "check", "--version"].includes(pip.find((word) => word === "--version" || !word.startsWith("-")) ?? "");
  if (command[0] !== "npm") return false;
  const [verb = "", next] = command.slice(1).filter((word) => !word.startsWith("-"));
  return NPM_COMMANDS.has(verb) || (verb === "cache" && next === "clean");
}

/** The arguments of a pip command; undefined for other commands. */
export function pipArguments(command: readonly string[]): readonly string[] | undefined {
  const [program = "", flag, module] = command;
  if (PIP_PROGRAMS.has(program)) return command.slice(1);
  if (PYTHON_PROGRAMS.has(program) && flag === "-m" && module === "pip") return command.slice(3);
  return undefined;
}
