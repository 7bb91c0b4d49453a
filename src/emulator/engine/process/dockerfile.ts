import { BuildError } from "../engine.ts";

/** One instruction of a Dockerfile, its continuation lines joined and the comments between them gone. */
export interface Instruction {
  /** Of the instruction's first line; the file's first line is 1. */
  readonly line: number;
  /** In capitals: `FROM`, `RUN`, … */
  readonly keyword: string;
  /** What follows the keyword. */
  readonly rest: string;
  /** As written, on one line. */
  readonly text: string;
}

export interface Dockerfile {
  readonly instructions: readonly Instruction[];
  /** What continues a line and takes a character's meaning away: `\` unless the file's `# escape=` says otherwise. */
  readonly escape: string;
}

/** A failure that the Dockerfile itself is to blame for, with the place. */
export function faulty({ line, text }: Instruction, why: string): BuildError {
  return new BuildError(`Dockerfile line ${line}: ${shorten(text)}\n${why}`);
}

/** A refusal of what a Dockerfile may well say, but the process engine cannot carry out; `instead` says how it could. */
export function refused(instruction: Instruction, why: string, instead = ""): BuildError {
  const advice = instead === "" ? "Use --engine container." : `${instead}, or use --engine container.`;
  return faulty(instruction, `The process engine ${why}. ${advice}`);
}

/**
 * Reads a Dockerfile into its instructions.
 * https://docs.docker.com/reference/dockerfile/#format
 */
export function readDockerfile(source: string): Dockerfile {
  const lines = source.replace(/^\uFEFF/, "").split(/\r?\n/);
  const escape = readEscape(lines);
  const continued = escape === "`" ? /`[ \t]*$/ : /\\[ \t]*$/;

  const instructions: Instruction[] = [];
  let parts: string[] = [];
  let first = 0;
  const finish = (): void => {
    if (parts.length > 0) instructions.push(toInstruction(parts, first));
    parts = [];
  };
  for (const [index, line] of lines.entries()) {
    // An empty line does not end an instruction that a continuation mark left open.
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    if (parts.length === 0) first = index + 1;
    parts.push(line.replace(continued, ""));
    if (!continued.test(line)) finish();
  }
  finish();
  return { instructions, escape };
}

/** Parser directives stand above all else: the first line that is none ends them. */
function readEscape(lines: readonly string[]): string {
  for (const line of lines) {
    const [, name, value] = /^\s*#\s*([a-z]+)\s*=\s*(.*?)\s*$/i.exec(line) ?? [];
    if (name === undefined) break;
    if (name.toLowerCase() !== "escape") continue;
    if (value === "`" || value === "\\") return value;
    throw new BuildError(`Dockerfile: the escape directive is \\ or \`, not ${value}.`);
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
 * The strings of an instruction's JSON form, or undefined where it is written in the shell form.
 * As with Docker, what looks like JSON but is not an array of strings is in the shell form.
 */
export function readJsonForm(rest: string): string[] | undefined {
  if (!rest.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(rest);
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  } catch {
    return undefined;
  }
  return undefined;
}

/** Takes the `--name=value`s from the front of an instruction. */
export function readFlags(rest: string): { flags: ReadonlyMap<string, string>; rest: string } {
  const flags = new Map<string, string>();
  let left = rest;
  for (let match; (match = /^--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|$)/.exec(left)); left = left.slice(match[0].length)) {
    flags.set(match[1] as string, match[2] ?? "");
  }
  return { flags, rest: left };
}
