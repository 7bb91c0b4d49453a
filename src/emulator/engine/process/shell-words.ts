/** How words are read: the variables that they can name, and the escape character. */
export interface Scope {
  readonly escape: string;
  readonly lookup: (name: string) => string | undefined;
}

/** Thrown for text that can't be split into words; the caller adds the place. */
export class WordError extends Error {
  override readonly name = "WordError";
}

/** Splits arguments into words as Dockerfiles do: quotes are removed, variables replaced. */
export function splitWords(text: string, scope: Scope): string[] {
  return scanWords(text, scope, "words").flat();
}

/** Expands the whole text as one word: quotes are removed, variables replaced, blanks kept. */
export function expand(text: string, scope: Scope): string {
  return scanWords(text, scope, "text").flat()[0] ?? "";
}

/** Splits a shell command line into the commands that `&&` combines. Throws a WordError for everything that needs a shell. */
export function splitCommands(text: string, lookup: Scope["lookup"]): string[][] {
  return scanWords(text, { escape: "\\", lookup }, "shell");
}

function scanWords(text: string, scope: Scope, mode: "words" | "text" | "shell"): string[][] {
  const { escape } = scope;
  const commands: string[][] = [[]];
  let word: string | undefined;
  const add = (piece: string): void => void (word = (word ?? "") + piece);
  const endWord = (): void => {
    if (word !== undefined) commands.at(-1)?.push(word);
    word = undefined;
  };

  let at = 0;
  let isQuoted = false;
  while (at < text.length) {
    const char = text[at] as string;
    if (char === "'" && !isQuoted) {
      const end = text.indexOf("'", at + 1);
      if (end < 0) throw new WordError("A single quote is not closed.");
      add(text.slice(at + 1, end));
      at = end + 1;
    } else if (char === '"') {
      isQuoted = !isQuoted;
      add("");
      at += 1;
    } else if (char === escape) {
      const next = text[at + 1] ?? "";
      // Inside quotes, only these characters can be escaped; before others the escape character is literal.
      add(isQuoted && next !== '"' && next !== "$" && next !== escape ? char + next : next);
      at += 2;
    } else if (char === "$") {
      const [source, value] = readVariable(text, at, scope);
      at += source.length;
      // A shell splits the value of an unquoted variable into words.
      for (const [index, piece] of (isQuoted || mode !== "shell" ? [value] : value.split(/\s+/)).entries()) {
        if (index > 0) endWord();
        if (piece !== "" || isQuoted || mode !== "shell") add(piece);
      }
    } else if (!isQuoted && mode !== "text" && /\s/.test(char)) {
      endWord();
      at += 1;
    } else if (!isQuoted && mode === "shell" && text.startsWith("&&", at)) {
      endWord();
      commands.push([]);
      at += 2;
    } else if (mode === "shell" && (char === "`" || (!isQuoted && needsShell(char, word)))) {
      throw new WordError(`\`${char}\` needs a shell`);
    } else {
      add(char);
      at += 1;
    }
  }
  if (isQuoted) throw new WordError("A double quote is not closed.");
  endWord();
  return commands;
}

function needsShell(char: string, word: string | undefined): boolean {
  return "|&;<>(){}*?[!".includes(char) || ((char === "#" || char === "~") && word === undefined);
}

/** Reads `$NAME`, `${NAME}`, `${NAME:-default}` or `${NAME:+alternative}`; returns its source and its value. */
function readVariable(text: string, at: number, scope: Scope): [source: string, value: string] {
  const simpleName = /^\$(\w+)/.exec(text.slice(at));
  if (simpleName) return [simpleName[0], scope.lookup(simpleName[1] as string) ?? ""];
  if (text[at + 1] !== "{") {
    if (text[at + 1] === "(") throw new WordError("`$(` needs a shell");
    return ["$", "$"];
  }

  const end = closingBrace(text, at + 1);
  const source = text.slice(at, end + 1);
  const [, name, colon, operator, operand = ""] = /^\$\{(\w+)(?:(:?)([-+])([^]*))?\}$/.exec(source) ?? [];
  if (name === undefined) throw new WordError(`${source} isn't supported: use $X, \${X}, \${X:-default}, or \${X:+alternative}`);
  const value = scope.lookup(name);
  const isSet = colon === ":" ? value !== undefined && value !== "" : value !== undefined;
  const expandOperand = (): string => expand(operand, scope);
  if (operator === "-") return [source, isSet ? (value as string) : expandOperand()];
  if (operator === "+") return [source, isSet ? expandOperand() : ""];
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
