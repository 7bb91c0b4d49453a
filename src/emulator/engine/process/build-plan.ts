import { posix } from "node:path";
import type { ImageConfig } from "../../state/resources.ts";
import { parseBaseImage, type BaseImage } from "./base-image.ts";
import { parseCopy, type Copy } from "./parse-copy.ts";
import { instructionError, parseDockerfile, parseFlags, parseJsonForm, unsupported, type Instruction } from "./dockerfile.ts";
import { BuildError } from "../engine.ts";
import { parseRun } from "./parse-run.ts";
import { expand, splitWords, WordError, type Scope } from "./shell-words.ts";

/** What a build has to do, with all variables replaced. Planning touches no files. */
export interface Plan {
  readonly stages: readonly Stage[];
}

export interface Stage {
  readonly from: Instruction;
  readonly base: BaseImage | number;
  readonly steps: readonly Step[];
  readonly config: ImageConfig;
}

interface Step {
  readonly instruction: Instruction;
  /** What the instruction does to the image's files; undefined if it only sets metadata. */
  readonly action?: Action;
  /** How the process engine differs from a container engine here. */
  readonly note?: string;
}

export type Action =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "copy"; readonly copy: Copy }
  | {
      readonly kind: "run";
      readonly commands: readonly (readonly string[])[];
      readonly workingDir: string;
      readonly env: Readonly<Record<string, string>>;
    };

interface StageDraft {
  readonly from: Instruction;
  readonly name: string;
  readonly base: BaseImage | number;
  readonly steps: Step[];
  readonly env: Map<string, string>;
  readonly args: Map<string, string>;
  entrypoint: readonly string[];
  cmd: readonly string[];
  hasOwnCmd: boolean;
  workingDir: string;
  user: string;
}

/** Parses a Dockerfile and plans its build. Throws a BuildError for the first line that is wrong or unsupported. */
export function planBuild(source: string): Plan {
  const { instructions, escape } = parseDockerfile(source);
  const globalArgs = new Map<string, string>();
  const drafts: StageDraft[] = [];
  for (const instruction of instructions) {
    try {
      if (instruction.keyword === "FROM") drafts.push(startStage(instruction, drafts, { escape, lookup: (name) => globalArgs.get(name) }));
      else readInstruction(instruction, drafts, globalArgs, escape);
    } catch (error) {
      if (error instanceof WordError) throw instructionError(instruction, error.message);
      throw error;
    }
  }
  if (drafts.length === 0) throw new BuildError("The Dockerfile has no FROM instruction.");
  return { stages: drafts.map(toStage) };
}

function readInstruction(instruction: Instruction, drafts: readonly StageDraft[], globalArgs: Map<string, string>, escape: string): void {
  const draft = drafts.at(-1);
  if (!draft && instruction.keyword !== "ARG") throw instructionError(instruction, "The first instruction of a Dockerfile must be FROM.");
  const args = draft ? draft.args : globalArgs;
  // ENV takes precedence over ARG: https://docs.docker.com/reference/dockerfile/#using-arg-variables
  const scope: Scope = { escape, lookup: (name) => draft?.env.get(name) ?? args.get(name) };
  if (instruction.rest === "") throw instructionError(instruction, `${instruction.keyword} requires at least one argument.`);
  if (!draft || instruction.keyword === "ARG") {
    for (const [name, value] of readArgs(instruction, scope)) {
      const given = value ?? globalArgs.get(name);
      if (given !== undefined) args.set(name, given);
    }
    draft?.steps.push({ instruction });
    return;
  }
  draft.steps.push({ instruction, ...readStep(instruction, draft, drafts, scope) });
}

function readArgs(instruction: Instruction, scope: Scope): [name: string, value: string | undefined][] {
  return splitWords(instruction.rest, scope).map((word) => {
    const at = word.indexOf("=");
    return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
  });
}

/** Adds an instruction to its stage; returns what it does to the image's files. */
function readStep(instruction: Instruction, draft: StageDraft, drafts: readonly StageDraft[], scope: Scope): Omit<Step, "instruction"> {
  const { keyword, rest } = instruction;
  switch (keyword) {
    case "ENV":
      for (const [name, value] of readEnv(instruction, scope)) draft.env.set(name, value);
      return {};
    case "WORKDIR":
      draft.workingDir = posix.resolve(draft.workingDir, expand(rest, scope));
      return { action: { kind: "folder", path: draft.workingDir } };
    case "COPY":
      return readCopyStep(instruction, draft, drafts, scope);
    case "RUN": {
      const env = { ...Object.fromEntries(draft.args), ...Object.fromEntries(draft.env) };
      return { action: { kind: "run", commands: parseRun(instruction, scope.lookup), workingDir: draft.workingDir, env } };
    }
    case "CMD":
      draft.cmd = readCommand(rest);
      draft.hasOwnCmd = true;
      return {};
    case "ENTRYPOINT":
      draft.entrypoint = readCommand(rest);
      // The base image's CMD was meant for the base image's ENTRYPOINT.
      if (!draft.hasOwnCmd) draft.cmd = [];
      return {};
    case "USER":
      draft.user = expand(rest, scope);
      // Unlike Cloud Run: an instance runs as the user that the emulator runs as, whatever USER says.
      return { note: "ignored: instances run as the emulator's user" };
    case "STOPSIGNAL":
      if (/^(SIG)?TERM$|^15$/.test(expand(rest, scope))) return {};
      throw unsupported(instruction, "stops instances with SIGTERM, as Cloud Run does", "Remove it");
    case "EXPOSE":
    case "LABEL":
    case "MAINTAINER":
      return {};
    default:
      throw unsupportedKeyword(instruction);
  }
}

const ALTERNATIVES: Readonly<Record<string, string>> = {
  ADD: "Use COPY",
  HEALTHCHECK: "Remove it (Cloud Run uses the service's probes instead)",
  VOLUME: "Remove it (Cloud Run ignores it)",
  SHELL: "Write RUN, CMD, and ENTRYPOINT for /bin/sh, or in JSON form",
  ONBUILD: "Move the instruction to the Dockerfile that uses this image",
};

function unsupportedKeyword(instruction: Instruction): BuildError {
  const alternative = ALTERNATIVES[instruction.keyword];
  if (alternative === undefined) return instructionError(instruction, `Unknown instruction ${instruction.keyword}.`);
  return unsupported(instruction, `doesn't support ${instruction.keyword}`, alternative);
}

function readCopyStep(instruction: Instruction, draft: StageDraft, drafts: readonly StageDraft[], scope: Scope): Omit<Step, "instruction"> {
  const stageNumber = (name: string): number | undefined => {
    const earlierStages = drafts.slice(0, -1);
    const index = /^\d+$/.test(name)
      ? Number(name)
      : earlierStages.findIndex((stage) => stage.name !== "" && stage.name === name.toLowerCase());
    return earlierStages[index] && index;
  };
  const { copy, ignored } = parseCopy(instruction, scope, draft.workingDir, stageNumber);
  // Unlike Cloud Run: copied files belong to the user that the emulator runs as, with the modes that they have in the context.
  return { action: { kind: "copy", copy }, ...(ignored.length > 0 && { note: `ignored: ${ignored.join(", ")}` }) };
}

function readEnv(instruction: Instruction, scope: Scope): [name: string, value: string][] {
  // `ENV NAME value with blanks` is Docker's legacy form.
  const [, name = "", value = ""] = /^([^\s=]+)\s+([^]*)$/.exec(instruction.rest) ?? [];
  if (name !== "") return [[expand(name, scope), expand(value, scope)]];
  return readArgs(instruction, scope).map(([key, given]) => {
    if (given === undefined || key === "")
      throw instructionError(instruction, `Syntax error: can't find = in "${key}". Use ENV NAME=value.`);
    return [key, given];
  });
}

function readCommand(rest: string): readonly string[] {
  return parseJsonForm(rest) ?? ["/bin/sh", "-c", rest];
}

function startStage(from: Instruction, drafts: readonly StageDraft[], scope: Scope): StageDraft {
  // Unlike Cloud Run: FROM --platform is ignored; everything runs on the host's own platform.
  const [image = "", as, name = "", ...more] = splitWords(parseFlags(from.rest).rest, scope);
  if (image === "" || more.length > 0 || (as !== undefined && (as.toUpperCase() !== "AS" || !/^[a-z][\w.-]*$/i.test(name)))) {
    throw instructionError(from, "Use FROM image [AS name].");
  }
  const earlierStage = drafts.findIndex((draft) => draft.name === image.toLowerCase());
  const base = earlierStage >= 0 ? earlierStage : parseBaseImage(image, from);
  const config = typeof base === "number" ? toStage(drafts[base] as StageDraft).config : base.config;
  return {
    from,
    name: name.toLowerCase(),
    base,
    steps: [],
    env: new Map(config.Env.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])),
    args: new Map(),
    entrypoint: config.Entrypoint,
    cmd: config.Cmd,
    hasOwnCmd: false,
    workingDir: config.WorkingDir,
    user: config.User,
  };
}

function toStage({ from, base, steps, env, entrypoint, cmd, workingDir, user }: StageDraft): Stage {
  const Env = [...env].map(([name, value]) => `${name}=${value}`);
  return { from, base, steps, config: { Env, Entrypoint: entrypoint, Cmd: cmd, WorkingDir: workingDir, User: user } };
}
