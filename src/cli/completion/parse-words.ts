import type { Argument, Command, Option } from "commander";

/** Where on the command line the word is that is being typed. */
export interface CompletionPoint {
  /** A command or an argument, a flag, a flag's value, or an argument after `--`. */
  readonly kind: "word" | "flag" | "value" | "passed";
  readonly command: Command;
  /** The part of the value that is typed. */
  readonly typed: string;
  /** What precedes the value in the same word: `--region=`. */
  readonly prefix: string;
  /** The number of arguments before it. */
  readonly index: number;
  /** The arguments before it. */
  readonly given: readonly string[];
  /** What takes the value. */
  readonly target: Option | Argument | undefined;
  /** The flags before it, by their keys; true for a flag without a value. */
  readonly options: Readonly<Record<string, string | boolean>>;
}

/** Parses a command line that is incomplete and can have errors; the last word is the one that is being typed. */
export function parseWords(program: Command, words: readonly string[]): CompletionPoint {
  let command = program;
  const given: string[] = [];
  const options: Record<string, string | boolean> = {};
  const typed = words.at(-1) ?? "";
  const createPoint = (point: Partial<CompletionPoint>): CompletionPoint => {
    const target = command.registeredArguments[given.length] ?? command.registeredArguments.findLast(({ variadic }) => variadic);
    return { kind: "word", command, typed, prefix: "", index: given.length, given, target, options, ...point };
  };

  const earlier = words.slice(0, -1);
  for (let i = 0; i < earlier.length; i += 1) {
    const word = earlier[i] ?? "";
    if (word === "--") return createPoint({ kind: "passed", index: earlier.length - i - 1 });
    if (!word.startsWith("-") || word === "-") {
      const child = given.length === 0 ? command.commands.find((known) => known.name() === word) : undefined;
      if (child) command = child;
      else given.push(word);
      continue;
    }
    const [flag, value] = splitFlag(word);
    const option = findOption(command, flag);
    if (!option) continue;
    const takesNext = option.required && value === undefined;
    if (takesNext && i + 1 === earlier.length) return createPoint({ kind: "value", target: option });
    if (takesNext) i += 1;
    options[option.attributeName()] = value ?? (takesNext ? (earlier[i] ?? "") : true);
  }

  if (!typed.startsWith("-")) return createPoint({});
  const [flag, value] = splitFlag(typed);
  const option = value === undefined ? undefined : findOption(command, flag);
  return option ? createPoint({ kind: "value", target: option, typed: value, prefix: `${flag}=` }) : createPoint({ kind: "flag" });
}

/** Splits `--flag=value`. */
function splitFlag(word: string): readonly [flag: string, value?: string] {
  const separator = word.startsWith("--") ? word.indexOf("=") : -1;
  return separator < 0 ? [word] : [word.slice(0, separator), word.slice(separator + 1)];
}

function findOption(command: Command, flag: string): Option | undefined {
  for (let ancestor: Command | null = command; ancestor; ancestor = ancestor.parent) {
    const option = ancestor.options.find(({ long, short }) => long === flag || short === flag);
    if (option) return option;
  }
  return undefined;
}
