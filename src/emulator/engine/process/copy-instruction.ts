import { posix } from "node:path";
import { faulty, readFlags, readJsonForm, refused, type Instruction } from "./dockerfile.ts";
import { expand, splitWords, type Scope } from "./shell-words.ts";

/** What a COPY copies. */
export interface Copy {
  /** The number of the stage to copy from; undefined for the context. */
  readonly stage: number | undefined;
  /** Paths below the context or the stage's root, without a leading slash; they may hold `*`, `?` and `[…]`. */
  readonly sources: readonly string[];
  /** Absolute in the container. */
  readonly destination: string;
  /** True where the destination is a folder even if there is none yet. */
  readonly intoFolder: boolean;
}

const HARMLESS = new Set(["from", "link"]);
const IGNORED = new Set(["chown", "chmod"]);

/**
 * Reads a COPY. `ignored` names its flags that have no effect here.
 * https://docs.docker.com/reference/dockerfile/#copy
 */
export function readCopy(
  instruction: Instruction,
  scope: Scope,
  workingDir: string,
  stageNumber: (name: string) => number | undefined,
): { copy: Copy; ignored: string[] } {
  const { flags, rest } = readFlags(instruction.rest);
  for (const name of flags.keys()) {
    if (!HARMLESS.has(name) && !IGNORED.has(name)) throw refused(instruction, `does not know COPY --${name}`, "Leave it out");
  }
  const words = readJsonForm(rest)?.map((word) => expand(word, scope)) ?? splitWords(rest, scope);
  if (words.some((word) => word.startsWith("<<"))) throw refused(instruction, "does not carry out heredocs", "COPY a file");
  if (words.length < 2) throw faulty(instruction, "COPY requires at least two arguments: a source and a destination.");

  const sources = words.slice(0, -1).map((source) => inside(instruction, source));
  const destination = words.at(-1) as string;
  const intoFolder = /(^|\/)\.?$/.test(destination) || destination.endsWith("/..");
  if (sources.length > 1 && !intoFolder) {
    throw faulty(instruction, "When COPY is given more than one source, its destination is a folder and ends with a /.");
  }
  const from = flags.get("from");
  const stage = from === undefined ? undefined : stageNumber(from);
  if (from !== undefined && stage === undefined) {
    throw refused(instruction, `copies from earlier stages only, and none is called ${from}`, "Name a stage by FROM … AS");
  }
  return {
    copy: { stage, sources, destination: posix.resolve(workingDir, destination), intoFolder },
    ignored: [...flags.keys()].filter((name) => IGNORED.has(name)).map((name) => `--${name}`),
  };
}

function inside(instruction: Instruction, source: string): string {
  const path = posix.normalize(source).replace(/^\/+|\/+$/g, "");
  if (path === ".." || path.startsWith("../")) throw faulty(instruction, `COPY failed: ${source} is outside of the build context.`);
  return path === "" ? "." : path;
}
