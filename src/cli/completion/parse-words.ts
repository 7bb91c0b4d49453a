import type { Argument, Command, Option } from "commander";

/** Where the word that is being typed stands. */
export interface Place {
  readonly kind: "word" | "option" | "value" | "rest";
  readonly command: Command;
  /** What is typed yet of the value. */
  readonly typed: string;
  /** What stands before the value in the same word: `--region=`. */
  readonly before: string;
  /** How many arguments stand before it. */
  readonly index: number;
  /** The arguments before it. */
  readonly given: readonly string[];
  /** What the value is for. */
  readonly target: Option | Argument | undefined;
  /** The options before it, by their names in the tree; true where one takes no value. */
  readonly options: Readonly<Record<string, string | boolean>>;
}

/** Reads a line that is not finished, and may never be right: the last word is the one that is being typed. */
export function readWords(program: Command, words: readonly string[]): Place {
  let command = program;
  const given: string[] = [];
  const options: Record<string, string | boolean> = {};
  const typed = words.at(-1) ?? "";
  const at = (place: Partial<Place>): Place => {
    const target = command.registeredArguments[given.length] ?? command.registeredArguments.findLast(({ variadic }) => variadic);
    return { kind: "word", command, typed, before: "", index: given.length, given, target, options, ...place };
  };

  const earlier = words.slice(0, -1);
  for (let i = 0; i < earlier.length; i += 1) {
    const word = earlier[i] ?? "";
    if (word === "--") return at({ kind: "rest", index: earlier.length - i - 1 });
    if (!word.startsWith("-") || word === "-") {
      const child = given.length === 0 ? command.commands.find((known) => known.name() === word) : undefined;
      if (child) command = child;
      else given.push(word);
      continue;
    }
    const [flag = "", inline] = split(word);
    const option = findOption(command, flag);
    if (!option) continue;
    const takesNext = option.required && inline === undefined;
    if (takesNext && i + 1 === earlier.length) return at({ kind: "value", target: option });
    if (takesNext) i += 1;
    options[option.attributeName()] = inline ?? (takesNext ? (earlier[i] ?? "") : true);
  }

  if (!typed.startsWith("-")) return at({});
  const [flag = "", inline] = split(typed);
  const option = inline === undefined ? undefined : findOption(command, flag);
  return option ? at({ kind: "value", target: option, typed: inline ?? "", before: `${flag}=` }) : at({ kind: "option" });
}

function split(word: string): readonly [flag: string, value?: string] {
  const cut = word.startsWith("--") ? word.indexOf("=") : -1;
  return cut < 0 ? [word] : [word.slice(0, cut), word.slice(cut + 1)];
}

function findOption(command: Command | null, flag: string): Option | undefined {
  for (let step = command; step; step = step.parent) {
    const option = step.options.find(({ long, short }) => long === flag || short === flag);
    if (option) return option;
  }
  return undefined;
}
