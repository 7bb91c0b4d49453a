/** What gives a word its meaning: the variables it may name, and the mark that takes a character's meaning away. */
export interface Scope {
  readonly escape: string;
  readonly lookup: (name: string) => string | undefined;
}

/** Said of text that no word can be made of; the reader knows the place. */
export class WordError extends Error {
  override readonly name = "WordError";
}

/** Splits arguments into words as Dockerfiles have it: quotes are removed, variables replaced. */
export function splitWords(text: string, scope: Scope): string[] {
  return scan(text, scope, "words").flat();
}

/** The whole text as one word: quotes are removed, variables replaced, blanks kept. */
export function expand(text: string, scope: Scope): string {
  return scan(text, scope, "text").flat()[0] ?? "";
}

/**
 * Splits a shell command line into the commands that `&&` combines.
 * Throws a WordError for everything that only a shell can carry out.
 */
export function splitCommands(text: string, lookup: Scope["lookup"]): string[][] {
  return scan(text, { escape: "\\", lookup }, "shell");
}

function scan(text: string, scope: Scope, mode: "words" | "text" | "shell"): string[][] {
  const { escape } = scope;
  const commands: string[][] = [[]];
  let word: string | undefined;
  const add = (piece: string): void => void (word = (word ?? "") + piece);
  const endWord = (): void => {
    if (word !== undefined) commands.at(-1)?.push(word);
    word = undefined;
  };

  let at = 0;
  let quoted = false;
  while (at < text.length) {
    const char = text[at] as string;
    if (char === "'" && !quoted) {
      const end = text.indexOf("'", at + 1);
      if (end < 0) throw new WordError("A single quote is not closed.");
      add(text.slice(at + 1, end));
      at = end + 1;
    } else if (char === '"') {
      quoted = !quoted;
      add("");
      at += 1;
    } else if (char === escape) {
      const next = text[at + 1] ?? "";
      // Inside quotes only these lose their meaning; before all others the mark stands for itself.
      add(quoted && next !== '"' && next !== "$" && next !== escape ? char + next : next);
      at += 2;
    } else if (char === "$") {
      const [source, value] = readVariable(text, at, scope);
      at += source.length;
      // A shell splits what an unquoted variable stands for into words.
      for (const [index, piece] of (quoted || mode !== "shell" ? [value] : value.split(/\s+/)).entries()) {
        if (index > 0) endWord();
        if (piece !== "" || quoted || mode !== "shell") add(piece);
      }
    } else if (!quoted && mode !== "text" && /\s/.test(char)) {
      endWord();
      at += 1;
    } else if (!quoted && mode === "shell" && text.startsWith("&&", at)) {
      endWord();
      commands.push([]);
      at += 2;
    } else if (mode === "shell" && (char === "`" || (!quoted && needsShell(char, word)))) {
      throw new WordError(`\`${char}\` needs a shell`);
    } else {
      add(char);
      at += 1;
    }
  }
  if (quoted) throw new WordError("A double quote is not closed.");
  endWord();
  return commands;
}

function needsShell(char: string, word: string | undefined): boolean {
  return "|&;<>(){}*?[!".includes(char) || ((char === "#" || char === "~") && word === undefined);
}

/** Reads `$NAME`, `${NAME}`, `${NAME:-default}` or `${NAME:+alternative}`; gives back what was read and what it stands for. */
function readVariable(text: string, at: number, scope: Scope): [source: string, value: string] {
  const plain = /^\$(\w+)/.exec(text.slice(at));
  if (plain) return [plain[0], scope.lookup(plain[1] as string) ?? ""];
  if (text[at + 1] !== "{") {
    if (text[at + 1] === "(") throw new WordError("`$(` needs a shell");
    return ["$", "$"];
  }

  const end = closingBrace(text, at + 1);
  const source = text.slice(at, end + 1);
  const [, name, colon, operator, operand = ""] = /^\$\{(\w+)(?:(:?)([-+])([^]*))?\}$/.exec(source) ?? [];
  if (name === undefined) throw new WordError(`${source} is none of $X, \${X}, \${X:-default} and \${X:+alternative}`);
  const value = scope.lookup(name);
  const isSet = colon === ":" ? value !== undefined && value !== "" : value !== undefined;
  const other = (): string => expand(operand, scope);
  if (operator === "-") return [source, isSet ? (value as string) : other()];
  if (operator === "+") return [source, isSet ? other() : ""];
  return [source, value ?? ""];
}

function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === "{") depth += 1;
    if (text[at] === "}" && (depth -= 1) === 0) return at;
  }
  throw new WordError("A `${` is not closed.");
}
