import type { Command } from "commander";
import { PassThrough } from "node:stream";
import type { ProcessIo } from "../../context/process-io.ts";
import { rootOf } from "../help.ts";
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
    const program = createProgram(async () => {}, { stdout: sink });
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
  const children = childrenOf(point);
  return children.length > 0 ? children.map((child) => [child.name(), child.summary()]) : valueCandidates(point, io);
}

/** The commands that the word can be: of `help`, each word is one. */
function childrenOf({ command, given, index }: CompletionPoint): readonly Command[] {
  if (command.name() !== "help") return index === 0 ? command.commands : [];
  const named = given.reduce<Command | null | undefined>(
    (parent, name) => parent?.commands.find((child) => child.name() === name),
    command.parent,
  );
  return named?.commands ?? [];
}

/** A command's own flags first, then the global ones. */
function flagCandidates(command: Command): Candidate[] {
  const options = new Set([...command.options, ...rootOf(command).options].filter(({ hidden }) => !hidden));
  return [...[...options].map(({ long, short, description }): Candidate => [long ?? short ?? "", description]), ["--help", "Print help"]];
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
