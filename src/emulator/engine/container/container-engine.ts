import { join } from "node:path";
import { buildImage } from "./build-image.ts";
import { engineEnvironment, startInstance } from "./start-instance.ts";
import { NoContainerEngine, findContainerProgram, type ContainerProgramSearch } from "./container-program.ts";
import { openOwnedResources, type OpenedEngine } from "./owned-resources.ts";
import { BuildError, type Engine } from "../engine.ts";

/** `directory` is the emulator's data directory, with which images and containers are labeled. */
type ContainerEngineOptions = Pick<OpenedEngine, "env" | "shared" | "reaper"> & { readonly directory: string };

/** An engine that uses docker or podman, which it looks for on first use. */
export interface ContainerEngine extends Engine {
  find(): Promise<ContainerProgramSearch>;
  /** Removes containers and images that no emulator knows anymore; does nothing if the engine wasn't used. */
  sweep(): Promise<void>;
  /** Resolves when no search or cleanup is in progress. */
  close(): Promise<void>;
}

export function createContainerEngine({ directory, shared, env, reaper }: ContainerEngineOptions): ContainerEngine {
  let search: Promise<ContainerProgramSearch> | undefined;
  let opened: Promise<OpenedEngine> | undefined;

  // A failure isn't remembered: the daemon can start later.
  const find = (): Promise<ContainerProgramSearch> =>
    (search ??= findContainerProgram(env, join(directory, "probe")).then((result) => {
      if (!result.program) search = undefined;
      return result;
    }));
  const open = async (): Promise<OpenedEngine> => {
    const { program, unusable } = await find();
    if (!program) throw new NoContainerEngine({ unusable });
    const resources = openOwnedResources(program, directory, engineEnvironment(env));
    await resources.sweep();
    reaper.setCleanupCommand(resources.removalCommand);
    return { program, resources, env, shared, reaper };
  };
  const ensureOpen = (): Promise<OpenedEngine> =>
    (opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    }));

  const engine: ContainerEngine = {
    name: "container",
    runnerOf: (name) => (name === "container" ? engine : undefined),
    find,
    async build(options) {
      const builder = await ensureOpen().catch((error: Error) => {
        throw new BuildError(error.message, { cause: error });
      });
      return buildImage(options, builder);
    },
    async start(options) {
      return startInstance(options, await ensureOpen());
    },
    async sweep() {
      await (await opened)?.resources.sweep();
    },
    async close() {
      await Promise.allSettled([search, opened]);
    },
  };
  return engine;
}
