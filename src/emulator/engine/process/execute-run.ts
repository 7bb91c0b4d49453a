import { existsSync } from "node:fs";
import { posix } from "node:path";
import { registryVariables, type HostTools } from "../host-tools.ts";
import type { Action } from "./build-plan.ts";
import { imagePython, installPip } from "./python.ts";
import { areRequirementsMet, readRequirements } from "./requirements.ts";
import { inRootfs, makeFolder, mapEnvironment } from "./rootfs.ts";
import { pipArguments } from "./parse-run.ts";
import type { RunProgram } from "./run-program.ts";

interface RunOptions {
  readonly rootfs: string;
  /** The HOME of package managers, which isn't part of the image. */
  readonly home: string;
  readonly tools: HostTools;
  readonly run: RunProgram;
}

export async function executeRun(
  { commands, workingDir, env }: Extract<Action, { kind: "run" }>,
  { rootfs, home, tools, run }: RunOptions,
): Promise<void> {
  const cwd = await makeFolder(rootfs, workingDir);
  const environment = {
    ...registryVariables(tools),
    ...mapEnvironment(rootfs, env),
    HOME: home,
    // `npm install --global` installs programs in the image, not on the host.
    npm_config_prefix: inRootfs(rootfs, "/usr/local"),
  };
  const python = imagePython(rootfs);
  for (const command of commands) {
    const runCommand = (argv: readonly string[], name = command.join(" ")): Promise<void> => run({ argv, cwd, env: environment, name });
    const words = command.map((word) => mapWord(rootfs, workingDir, word));
    const pip = pipArguments(words);
    const program = pip ? python : inRootfs(rootfs, "/usr/local/bin/npm");
    if (!existsSync(program)) throw new Error(`${command[0]}: not found. The base image doesn't include it.`);

    if (!pip) {
      await runCommand([program, ...words.slice(1)]);
      continue;
    }
    const requirements = await readRequirements(pip, cwd);
    if (requirements && (await areRequirementsMet(requirements, python, runCommand))) continue;
    await installPip(python, runCommand);
    await runCommand([python, "-m", "pip", ...pip]);
  }
}

/** Maps paths in a command to the image: `/` and what `..` leads to are the container's. */
function mapWord(rootfs: string, workingDir: string, word: string): string {
  const [, flag = "", value = ""] = /^(--?[\w-]+=)?([^]*)$/.exec(word) ?? [];
  if (!value.startsWith("/") && !value.split("/").includes("..")) return word;
  return flag + inRootfs(rootfs, posix.resolve(workingDir, value));
}
