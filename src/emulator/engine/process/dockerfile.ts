import { isStringArray, parseJson } from "../../server/json.ts";
import { BuildError } from "../engine.ts";

/** One instruction of a Dockerfile, with continuation lines joined and comments removed. */
export interface Instruction {
  /** The number of the instruction's first line; lines count from 1. */
  readonly line: number;
  /** In capital letters: `FROM`, `RUN`, … */
  readonly keyword: string;
  readonly rest: string;
  /** As written, on one line. */
  readonly text: string;
}

export interface Dockerfile {
  readonly instructions: readonly Instruction[];
  /** The escape character: `\` unless the file's `# escape=` changes it. */
  readonly escape: string;
}

/** An error in the Dockerfile, with its place. */
export function instructionError({ line, text }: Instruction, why: string): BuildError {
  return new BuildError(`Dockerfile line ${line}: ${shorten(text)}\n${why}`);
}

/** An error for valid instructions that the process engine doesn't support; `alternative` says what to do instead. */
export function unsupported(instruction: Instruction, why: string, alternative = ""): BuildError {
  const advice = alternative === "" ? "Use --engine container." : `${alternative}, or use --engine container.`;
  return instructionError(instruction, `The process engine ${why}. ${advice}`);
}

/** Parses a Dockerfile into its instructions. https://docs.docker.com/reference/dockerfile/#format */
export function parseDockerfile(source: string): Dockerfile {
  const lines = source.replace(/^\uFEFF/, "").split(/\r?\n/);
  const escape = readEscape(lines);
  const continuation = escape === "`" ? /`[ \t]*$/ : /\\[ \t]*$/;

  const instructions: Instruction[] = [];
  let parts: string[] = [];
  let first = 0;
  const finish = (): void => {
    if (parts.length > 0) instructions.push(toInstruction(parts, first));
    parts = [];
  };
  for (const [index, line] of lines.entries()) {
    // An empty line doesn't end an instruction that continues.
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    if (parts.length === 0) first = index + 1;
    parts.push(line.replace(continuation, ""));
    if (!continuation.test(line)) finish();
  }
  finish();
  return { instructions, escape };
}

/** Parser directives come first: the first line that isn't one ends them. */
function readEscape(lines: readonly string[]): string {
  for (const line of lines) {
    const [, name, value] = /^\s*#\s*([a-z]+)\s*=\s*(.*?)\s*$/i.exec(line) ?? [];
    if (name === undefined) break;
    if (name.toLowerCase() !== "escape") continue;
    if (value === "`" || value === "\\") return value;
    throw new BuildError(`Invalid escape directive in the Dockerfile: expected \\ or \`, not ${value}.`);
  }
  return "\\";
}

function toInstruction(parts: readonly string[], line: number): Instruction {
  const joined = parts.join("").trim();
  const [, keyword = "", rest = ""] = /^(\S+)\s*([^]*)$/.exec(joined) ?? [];
  return { line, keyword: keyword.toUpperCase(), rest, text: parts.map((part) => part.trim()).join(" ") };
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

/**
 * The strings of an instruction's JSON form; undefined for the shell form. As in Docker, text that looks like JSON but isn't an array of
 * strings is in the shell form.
 */
export function parseJsonForm(rest: string): string[] | undefined {
  const value = rest.startsWith("[") ? parseJson(rest) : undefined;
  return isStringArray(value) ? value : undefined;
}

/** Splits the `--name=value` flags from the front of an instruction. */
export function parseFlags(rest: string): { flags: ReadonlyMap<string, string>; rest: string } {
  const flags = new Map<string, string>();
  let remaining = rest;
  for (let match; (match = /^--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|$)/.exec(remaining)); remaining = remaining.slice(match[0].length)) {
    flags.set(match[1] as string, match[2] ?? "");
  }
  return { flags, rest: remaining };
}
