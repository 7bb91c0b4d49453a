import { cp, mkdir, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ImageConfig } from "../../state/resources.ts";
import { installBase, installBasePrograms } from "./install-base.ts";
import { copyFiles } from "./copy-files.ts";
import { readDockerIgnore, type DockerIgnore } from "./docker-ignore.ts";
import { faulty, type Instruction } from "./dockerfile.ts";
import { BuildError, type BuildOptions } from "../engine.ts";
import type { Machine } from "../host-tools.ts";
import { planBuild, type Action, type Stage } from "./build-plan.ts";
import type { Reaper } from "../reaper.ts";
import { makeFolder } from "./rootfs.ts";
import { runCommands } from "./run-command.ts";
import { createRunner, type Runner } from "./runner.ts";

/** A build under way. */
interface Site {
  readonly options: BuildOptions;
  readonly machine: Machine;
  /** The folder that everything is built in. */
  readonly partial: string;
  readonly ignore: DockerIgnore;
  readonly run: Runner;
  /** Logs the beginning of the next step, and gives back what says more about it. */
  readonly begin: (instruction: Instruction) => (note: string) => void;
}

/** Builds an image as Engine.build says; its files are in `rootfs/` of the image's directory. */
export async function buildImage(options: BuildOptions, machine: Machine, reaper: Reaper): Promise<ImageConfig> {
  const { context, directory, log, signal } = options;
  // The image appears under its name when all of it is there: a crash leaves nothing that looks like one.
  const partial = `${directory}.partial`;
  try {
    signal.throwIfAborted();
    const { stages } = planBuild(await readSource(options));
    await rm(partial, { recursive: true, force: true });
    await mkdir(join(partial, "home"), { recursive: true, mode: 0o700 });
    const begin = countSteps(stages, log);
    const site: Site = {
      options,
      machine,
      partial,
      ignore: await readDockerIgnore(context),
      run: createRunner(log, signal, reaper),
      begin,
    };
    for (const [number, stage] of stages.entries()) await buildStage(site, stage, number);
    return await finish(site, stages);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (signal.aborted) throw new BuildError("The build was cancelled.", { cause: error });
    throw error;
  }
}

async function readSource({ context, dockerfile }: BuildOptions): Promise<string> {
  try {
    return await readFile(resolve(context, dockerfile), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new BuildError(`There is no ${dockerfile} in the build context.`, { cause: error });
  }
}

function countSteps(stages: readonly Stage[], log: (text: string) => void): Site["begin"] {
  const total = stages.reduce((sum, { steps }) => sum + 1 + steps.length, 0);
  let count = 0;
  return ({ text }) => {
    log(`Step ${(count += 1)}/${total} : ${text}\n`);
    return (note) => log(` ---> ${note}\n`);
  };
}

async function buildStage(site: Site, { from, base, steps }: Stage, number: number): Promise<void> {
  const rootfs = stageRoot(site, number);
  const note = site.begin(from);
  await blaming(from, async () => {
    if (typeof base === "number") return cp(stageRoot(site, base), rootfs, { recursive: true, verbatimSymlinks: true });
    await mkdir(rootfs);
    await installBase(base, { rootfs, machine: site.machine, note, run: (argv, name) => runTool(site, argv, name) });
  });
  for (const { instruction, action, note: said } of steps) {
    const noteStep = site.begin(instruction);
    if (said !== undefined) noteStep(said);
    if (action) await blaming(instruction, () => carryOut(site, action, rootfs, noteStep));
  }
}

async function carryOut(site: Site, action: Action, rootfs: string, note: (text: string) => void): Promise<void> {
  const { options, machine, partial, run } = site;
  options.signal.throwIfAborted();
  if (action.kind === "folder") await makeFolder(rootfs, action.path);
  if (action.kind === "run") await runCommands(action, { rootfs, home: join(partial, "home"), machine, run });
  if (action.kind === "copy") {
    const { stage } = action.copy;
    const source =
      stage === undefined
        ? { root: options.context, ignore: site.ignore }
        : { root: stageRoot(site, stage), ignore: { ignores: () => false, hasExceptions: false } };
    await copyFiles({ copy: action.copy, ...source, rootfs, note, signal: options.signal });
  }
}

async function finish(site: Site, stages: readonly Stage[]): Promise<ImageConfig> {
  const { options, partial } = site;
  const last = stages.length - 1;
  const rootfs = stageRoot(site, last);
  await installBasePrograms(rootfs, (argv, name) => runTool(site, argv, name));
  await rename(rootfs, join(partial, "rootfs"));
  for (let number = 0; number < last; number += 1) await rm(stageRoot(site, number), { recursive: true });
  await rm(join(partial, "home"), { recursive: true });
  options.signal.throwIfAborted();
  await rm(options.directory, { recursive: true, force: true });
  await rename(partial, options.directory);
  return (stages[last] as Stage).config;
}

function stageRoot({ partial }: Site, number: number): string {
  return join(partial, `stage-${number}`);
}

/** Runs a program of the engine's own. */
async function runTool({ partial, run }: Site, argv: readonly string[], name: string): Promise<void> {
  await run({ argv, name, cwd: partial, env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: join(partial, "home"), LANG: "C.UTF-8" } });
}

/** Says of whatever goes wrong which instruction it is about. */
async function blaming(instruction: Instruction, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof BuildError) throw error;
    const blamed = faulty(instruction, (error as Error).message);
    blamed.cause = error;
    throw blamed;
  }
}
