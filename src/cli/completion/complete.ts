import type { Command } from "commander";
import { PassThrough } from "node:stream";
import type { ProcessIo } from "../../context/process-io.ts";
import { createProgram } from "../program.ts";
import { readWords, type Place } from "./parse-words.ts";
import { fileDirective, valuesFor } from "./values.ts";

/** Something that may stand in the place, and what it means. */
type Candidate = readonly [value: string, meaning?: string];

/**
 * Prints for a shell what may stand in place of the last word, a line each: the value, and its meaning behind a tab; a line `:files` or
 * `:folders` where the shell is to add those. Says nothing at all where anything fails; always resolves to 0.
 */
export async function complete(words: readonly string[], io: ProcessIo): Promise<number> {
  try {
    const sink = new PassThrough().resume();
    const program = createProgram(async () => {}, { stdout: sink, stderr: sink });
    const place = readWords(program, words);
    const candidates = await candidatesFor(place, io);
    const lines = candidates
      .filter(([value]) => value.startsWith(place.typed))
      .map(([value, meaning]) => `${place.before}${value}${meaning ? `\t${firstLine(meaning)}` : ""}`);
    io.stdout.write([...new Set(lines), ...fileDirective(place)].map((line) => `${line}\n`).join(""));
  } catch {
    // Whoever presses Tab has asked for no error.
  }
  return 0;
}

async function candidatesFor(place: Place, io: ProcessIo): Promise<readonly Candidate[]> {
  if (place.kind === "rest") return [];
  if (place.kind === "option") return optionsOf(place.command);
  if (place.kind === "value") return valuesFor(place, io);
  const commands = commandsOf(place.command);
  return commands.length > 0 && place.index === 0 ? commands : valuesFor(place, io);
}

function commandsOf(command: Command): Candidate[] {
  return helpOf(command)
    .visibleCommands(command)
    .map((child) => [child.name(), child.summary() || child.description()]);
}

/** A command's own options first, then those that every command has. */
function optionsOf(command: Command): Candidate[] {
  const help = helpOf(command);
  const options = [...help.visibleOptions(command), ...(command.parent ? help.visibleGlobalOptions(command) : [])];
  return options.map(({ long, short, description }) => [long ?? short ?? "", description]);
}

function helpOf(command: Command) {
  return Object.assign(command.createHelp(), command.configureHelp());
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
