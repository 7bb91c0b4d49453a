import { join } from "node:path";
import { buildImage } from "./build-image.ts";
import { ownEnvironment, startInstance } from "./instance.ts";
import { findContainerProgram, type ContainerProgram, type Found } from "./program.ts";
import { openStorage, type Storage } from "./storage.ts";
import { BuildError, type Engine } from "../engine.ts";
import type { Machine } from "../host-tools.ts";
import { NoContainerEngine } from "../no-container-engine.ts";
import type { Reaper } from "../reaper.ts";

interface ContainerEngineOptions {
  /** The emulator's directory: images and containers are labelled with it. */
  readonly directory: string;
  /** Files that instances find under the same path where their environment names them. */
  readonly shared: readonly string[];
  /** The emulator's environment, as docker or podman is to have it. */
  readonly env: Machine["env"];
  readonly reaper: Reaper;
}

/** An engine that lets docker or podman build and run. It looks for one when it is first needed. */
export interface ContainerEngine extends Engine {
  /** What this machine has. */
  find(): Promise<Found>;
  /** Removes from the storage of docker or podman what no emulator knows any more; nothing where neither was used. */
  sweep(): Promise<void>;
  /** Resolves when it starts nothing any more by itself. */
  close(): Promise<void>;
}

interface Opened extends Pick<ContainerEngineOptions, "env" | "shared" | "reaper"> {
  readonly program: ContainerProgram;
  readonly storage: Storage;
}

export function createContainerEngine({ directory, shared, env, reaper }: ContainerEngineOptions): ContainerEngine {
  let found: Promise<Found> | undefined;
  let opened: Promise<Opened> | undefined;

  // What does not work now may do so when it is next asked for: a daemon is started late.
  const find = (): Promise<Found> =>
    (found ??= findContainerProgram(env, join(directory, "probe")).then((each) => {
      if (!each.program) found = undefined;
      return each;
    }));
  const open = async (): Promise<Opened> => {
    const { program, passedOver } = await find();
    if (!program) throw new NoContainerEngine({ passedOver });
    const storage = openStorage(program, directory, ownEnvironment(env));
    await storage.sweep();
    reaper.atEnd(storage.removal);
    return { program, storage, env, shared, reaper };
  };
  const use = (): Promise<Opened> =>
    (opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    }));

  const engine: ContainerEngine = {
    name: "container",
    runnerOf: (name) => (name === "container" ? engine : undefined),
    find,
    async build(options) {
      const builder = await use().catch((error: Error) => {
        throw new BuildError(error.message, { cause: error });
      });
      return buildImage(options, builder);
    },
    async start(options) {
      return startInstance(options, await use());
    },
    async sweep() {
      await (await opened)?.storage.sweep();
    },
    async close() {
      await Promise.allSettled([found, opened]);
    },
  };
  return engine;
}
