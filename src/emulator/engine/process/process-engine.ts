import { join } from "node:path";
import { buildImage } from "./build-image.ts";
import type { Engine, Instance, StartOptions } from "../engine.ts";
import type { HostTools } from "../host-tools.ts";
import { startGroup, StartError } from "../process-group.ts";
import type { Reaper } from "../reaper.ts";
import { inRootfs, mapArgument, mapEnvironment } from "./rootfs.ts";

interface ProcessEngineOptions {
  /** The `node` that runs Node images, an absolute path. */
  readonly node?: string;
  /** The Python that runs Python images: a path, or a name on PATH; CLOUDRUN_OAUTH_PYTHON. */
  readonly python?: string | undefined;
  /** The emulator's environment: builds take PATH and package registry settings from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly reaper: Reaper;
}

/** An engine that needs only the host's own Node and Python: an image is a folder, an instance a process. */
export function createProcessEngine({ node = process.execPath, python, env, reaper }: ProcessEngineOptions): Engine {
  const tools: HostTools = { node, python, env };
  const engine: Engine = {
    name: "process",
    runnerOf: (name) => (name === "process" ? engine : undefined),
    build: (options) => buildImage(options, tools, reaper),
    start: (options) => startInstance(options, reaper),
  };
  return engine;
}

// Unlike Cloud Run: an instance isn't isolated: it sees the host's files, network and processes, has the rights of the emulator's user, and no limits.
async function startInstance(
  { directory, config, command, args, env, mounts, port, log }: StartOptions,
  reaper: Reaper,
): Promise<Instance> {
  // Unlike Cloud Run: secrets can't be mounted as files, since processes share the host's file system.
  if (mounts?.length)
    throw new StartError(
      `The process engine can't mount ${mounts[0]?.path}. Use an environment variable, or start the emulator with --engine container.`,
    );
  const rootfs = join(directory, "rootfs");
  // As in Kubernetes, the revision's command replaces ENTRYPOINT and CMD.
  const argv = [...(command?.length ? command : config.Entrypoint), ...(args?.length ? args : command?.length ? [] : config.Cmd)];
  const imageEnv = Object.fromEntries(config.Env.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
  const group = await startGroup({
    argv: argv.map((word) => mapArgument(rootfs, word)),
    cwd: inRootfs(rootfs, config.WorkingDir),
    // Unlike Cloud Run: HOST asks a service to listen on loopback only, so that no other machine gets past the front door.
    env: mapEnvironment(rootfs, { HOST: "127.0.0.1", ...imageEnv, ...env }),
    log,
    reaper,
  });
  return { ...group, port };
}
