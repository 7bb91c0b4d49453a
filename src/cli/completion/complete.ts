import type { Command } from "commander";
import { PassThrough } from "node:stream";
import type { ProcessIo } from "../../context/process-io.ts";
import { createProgram } from "../program.ts";
import type { Candidate } from "./candidate.ts";
import { parseWords, type CompletionPoint } from "./parse-words.ts";
import { fileDirective, valueCandidates } from "./value-candidates.ts";

/**
 * Prints what the last word can be completed to, for the scripts of `completion`: on each line a value, then its meaning after a tab; a line
 * `:files`, `:folders` or `:programs` has the shell add those. Prints nothing if anything fails; always resolves to 0.
 */
export async function complete(words: readonly string[], io: ProcessIo): Promise<number> {
  try {
    const sink = new PassThrough().resume();
    const program = createProgram(async () => {}, { stdout: sink, stderr: sink });
    const point = parseWords(program, words);
    const candidates = await findCandidates(point, io);
    const lines = candidates
      .filter(([value]) => value.startsWith(point.typed))
      .map(([value, meaning]) => `${point.prefix}${value}${meaning ? `\t${firstLine(meaning)}` : ""}`);
    io.stdout.write([...new Set(lines), ...fileDirective(point)].map((line) => `${line}\n`).join(""));
  } catch {
    // An error message would appear in the middle of the command line that the user is typing.
  }
  return 0;
}

async function findCandidates(point: CompletionPoint, io: ProcessIo): Promise<readonly Candidate[]> {
  if (point.kind === "passed") return [];
  if (point.kind === "flag") return flagCandidates(point.command);
  if (point.kind === "value") return valueCandidates(point, io);
  const commands = commandCandidates(point.command);
  return commands.length > 0 && point.index === 0 ? commands : valueCandidates(point, io);
}

function commandCandidates(command: Command): Candidate[] {
  return helpOf(command)
    .visibleCommands(command)
    .map((child) => [child.name(), child.summary() || child.description()]);
}

/** A command's own flags first, then the global ones. */
function flagCandidates(command: Command): Candidate[] {
  const help = helpOf(command);
  const options = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
  return options.map(({ long, short, description }) => [long ?? short ?? "", description]);
}

function helpOf(command: Command) {
  return Object.assign(command.createHelp(), command.configureHelp());
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
