import { cp, mkdir, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ImageConfig } from "../../state/resources.ts";
import { installBaseImage, installBasePrograms } from "./install-base-image.ts";
import { copyFiles } from "./copy-files.ts";
import { readDockerIgnore, type DockerIgnore } from "./docker-ignore.ts";
import { instructionError, type Instruction } from "./dockerfile.ts";
import { BuildError, type BuildOptions } from "../engine.ts";
import type { HostTools } from "../host-tools.ts";
import { buildPartialImage } from "../partial-image.ts";
import { planBuild, type Action, type Stage } from "./build-plan.ts";
import type { Reaper } from "../reaper.ts";
import { makeFolder } from "./rootfs.ts";
import { executeRun } from "./execute-run.ts";
import { createProgramRunner, type RunProgram } from "./run-program.ts";

interface BuildState {
  readonly options: BuildOptions;
  readonly tools: HostTools;
  readonly partial: string;
  readonly ignore: DockerIgnore;
  readonly run: RunProgram;
  /** Logs the start of the next step; returns a function that logs more about it. */
  readonly startStep: (instruction: Instruction) => (note: string) => void;
}

/** Builds an image as Engine.build says; its files are in `rootfs/` of the image's directory. */
export async function buildImage(options: BuildOptions, tools: HostTools, reaper: Reaper): Promise<ImageConfig> {
  const { context, log, signal } = options;
  return buildPartialImage(options, async (partial) => {
    const { stages } = planBuild(await readDockerfileText(options));
    await mkdir(join(partial, "home"));
    const ignore = await readDockerIgnore(context);
    const run = createProgramRunner(log, signal, reaper);
    const state: BuildState = { options, tools, partial, ignore, run, startStep: createStepLogger(stages, log) };
    for (const [number, stage] of stages.entries()) await buildStage(state, stage, number);
    return finishImage(state, stages);
  });
}

async function readDockerfileText({ context, dockerfile }: BuildOptions): Promise<string> {
  try {
    return await readFile(resolve(context, dockerfile), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new BuildError(`${dockerfile} not found in the build context.`, { cause: error });
  }
}

function createStepLogger(stages: readonly Stage[], log: (text: string) => void): BuildState["startStep"] {
  const total = stages.reduce((sum, { steps }) => sum + 1 + steps.length, 0);
  let count = 0;
  return ({ text }) => {
    log(`Step ${(count += 1)}/${total} : ${text}\n`);
    return (note) => log(` ---> ${note}\n`);
  };
}

async function buildStage(state: BuildState, { from, base, steps }: Stage, number: number): Promise<void> {
  const rootfs = stageRoot(state, number);
  const note = state.startStep(from);
  await forInstruction(from, async () => {
    if (typeof base === "number") return cp(stageRoot(state, base), rootfs, { recursive: true, verbatimSymlinks: true });
    await mkdir(rootfs);
    await installBaseImage(base, { rootfs, tools: state.tools, note, run: (argv, name) => runTool(state, argv, name) });
  });
  for (const { instruction, action, note: stepNote } of steps) {
    const noteStep = state.startStep(instruction);
    if (stepNote !== undefined) noteStep(stepNote);
    if (action) await forInstruction(instruction, () => executeAction(state, action, rootfs, noteStep));
  }
}

async function executeAction(state: BuildState, action: Action, rootfs: string, note: (text: string) => void): Promise<void> {
  const { options, tools, partial, run } = state;
  options.signal.throwIfAborted();
  if (action.kind === "folder") await makeFolder(rootfs, action.path);
  if (action.kind === "run") await executeRun(action, { rootfs, home: join(partial, "home"), tools, run });
  if (action.kind === "copy") {
    const { stage } = action.copy;
    const source =
      stage === undefined
        ? { root: options.context, ignore: state.ignore }
        : { root: stageRoot(state, stage), ignore: { ignores: () => false, hasExceptions: false } };
    await copyFiles({ copy: action.copy, ...source, rootfs, note, signal: options.signal });
  }
}

async function finishImage(state: BuildState, stages: readonly Stage[]): Promise<ImageConfig> {
  const { partial } = state;
  const last = stages.length - 1;
  const rootfs = stageRoot(state, last);
  await installBasePrograms(rootfs, (argv, name) => runTool(state, argv, name));
  await rename(rootfs, join(partial, "rootfs"));
  for (let number = 0; number < last; number += 1) await rm(stageRoot(state, number), { recursive: true });
  await rm(join(partial, "home"), { recursive: true });
  return (stages[last] as Stage).config;
}

function stageRoot({ partial }: BuildState, number: number): string {
  return join(partial, `stage-${number}`);
}

/** Runs one of the engine's own programs. */
async function runTool({ partial, run }: BuildState, argv: readonly string[], name: string): Promise<void> {
  await run({ argv, name, cwd: partial, env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: join(partial, "home"), LANG: "C.UTF-8" } });
}

/** Runs work for an instruction, and names the instruction in whatever error it throws. */
async function forInstruction(instruction: Instruction, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof BuildError) throw error;
    const instructionFailure = instructionError(instruction, (error as Error).message);
    instructionFailure.cause = error;
    throw instructionFailure;
  }
}
