import { posix } from "node:path";
import { instructionError, parseFlags, parseJsonForm, unsupported, type Instruction } from "./dockerfile.ts";
import { expand, splitWords, type Scope } from "./shell-words.ts";

export interface Copy {
  /** The number of the stage to copy from; undefined for the context. */
  readonly stage: number | undefined;
  /** Paths below the context or the stage's root, without a leading slash; they can contain `*`, `?` and `[…]`. */
  readonly sources: readonly string[];
  /** An absolute path in the container. */
  readonly destination: string;
  /** Whether the destination is a folder even if it doesn't exist yet. */
  readonly intoFolder: boolean;
}

const ALLOWED_FLAGS = new Set(["from", "link"]);
const IGNORED_FLAGS = new Set(["chown", "chmod"]);

/** Parses a COPY. `ignored` lists its flags that have no effect here. https://docs.docker.com/reference/dockerfile/#copy */
export function parseCopy(
  instruction: Instruction,
  scope: Scope,
  workingDir: string,
  stageNumber: (name: string) => number | undefined,
): { copy: Copy; ignored: string[] } {
  const { flags, rest } = parseFlags(instruction.rest);
  for (const name of flags.keys()) {
    if (!ALLOWED_FLAGS.has(name) && !IGNORED_FLAGS.has(name)) throw unsupported(instruction, `doesn't support COPY --${name}`, "Remove it");
  }
  const words = parseJsonForm(rest)?.map((word) => expand(word, scope)) ?? splitWords(rest, scope);
  if (words.some((word) => word.startsWith("<<"))) throw unsupported(instruction, "doesn't support heredocs", "COPY a file");
  if (words.length < 2) throw instructionError(instruction, "COPY requires at least two arguments: a source and a destination.");

  const sources = words.slice(0, -1).map((source) => normalizeSource(instruction, source));
  const destination = words.at(-1) as string;
  const intoFolder = /(^|\/)\.?$/.test(destination) || destination.endsWith("/..");
  if (sources.length > 1 && !intoFolder) {
    throw instructionError(instruction, "If COPY has several sources, its destination must end with /.");
  }
  const from = flags.get("from");
  const stage = from === undefined ? undefined : stageNumber(from);
  if (from !== undefined && stage === undefined) {
    throw unsupported(instruction, `copies only from earlier stages, and none is named ${from}`, "Name a stage with FROM … AS");
  }
  return {
    copy: { stage, sources, destination: posix.resolve(workingDir, destination), intoFolder },
    ignored: [...flags.keys()].filter((name) => IGNORED_FLAGS.has(name)).map((name) => `--${name}`),
  };
}

function normalizeSource(instruction: Instruction, source: string): string {
  const path = posix.normalize(source).replace(/^\/+|\/+$/g, "");
  if (path === ".." || path.startsWith("../"))
    throw instructionError(instruction, `COPY failed: ${source} is outside of the build context.`);
  return path === "" ? "." : path;
}
