import { existsSync } from "node:fs";
import { posix } from "node:path";
import { registryFacts, type Machine } from "../host-tools.ts";
import type { Action } from "./build-plan.ts";
import { imagePython, installPip } from "./python.ts";
import { areMet, readRequirements } from "./requirements.ts";
import { inRootfs, makeFolder, mapEnvironment } from "./rootfs.ts";
import { pipArguments } from "./run-instruction.ts";
import type { Runner } from "./runner.ts";

interface Place {
  readonly rootfs: string;
  /** The HOME of package managers: what they write there is no part of the image. */
  readonly home: string;
  readonly machine: Machine;
  readonly run: Runner;
}

/** Carries out the commands of a RUN, each only where the one before it did well. */
export async function runCommands(
  { commands, workingDir, env }: Extract<Action, { kind: "run" }>,
  { rootfs, home, machine, run }: Place,
): Promise<void> {
  const cwd = await makeFolder(rootfs, workingDir);
  const environment = {
    ...registryFacts(machine),
    ...mapEnvironment(rootfs, env),
    HOME: home,
    // Where `npm install --global` puts programs: into the image, not into this machine.
    npm_config_prefix: inRootfs(rootfs, "/usr/local"),
  };
  const python = imagePython(rootfs);
  for (const command of commands) {
    const start = (argv: readonly string[], name = command.join(" ")): Promise<void> => run({ argv, cwd, env: environment, name });
    const words = command.map((word) => mapWord(rootfs, workingDir, word));
    const pip = pipArguments(words);
    const program = pip ? python : inRootfs(rootfs, "/usr/local/bin/npm");
    if (!existsSync(program)) throw new Error(`${command[0]}: not found: the image's base does not bring it.`);

    if (!pip) {
      await start([program, ...words.slice(1)]);
      continue;
    }
    const requirements = await readRequirements(pip, cwd);
    if (requirements && (await areMet(requirements, python, start))) continue;
    await installPip(python, start);
    await start([python, "-m", "pip", ...pip]);
  }
}

/** Keeps what a command names inside of the image: `/`, and what `..` leads to, are the container's. */
function mapWord(rootfs: string, workingDir: string, word: string): string {
  const [, flag = "", value = ""] = /^(--?[\w-]+=)?([^]*)$/.exec(word) ?? [];
  if (!value.startsWith("/") && !value.split("/").includes("..")) return word;
  return flag + inRootfs(rootfs, posix.resolve(workingDir, value));
}
