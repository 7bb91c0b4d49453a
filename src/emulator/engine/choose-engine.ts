import { createContainerEngine } from "./container/container-engine.ts";
import { NoContainerEngine, type ContainerProgramSearch } from "./container/container-program.ts";
import type { Engine } from "./engine.ts";
import { createProcessEngine } from "./process/process-engine.ts";
import { createReaper } from "./reaper.ts";

export type EngineChoice = "auto" | Engine["name"];

interface EngineOptions {
  readonly choice: EngineChoice;
  readonly directory: string;
  /** Files that instances see at the same path when their environment names them. */
  readonly shared: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: (line: string) => void;
}

/** The engine as `emulator status` shows it; its name is null until the engine is chosen. */
export interface EngineStatus {
  readonly name: Engine["name"] | null;
  readonly program: "docker" | "podman" | null;
  /** The container engines that can't be used, and why: `docker: Cannot connect to …`. */
  readonly passed_over: readonly string[];
}

export interface EmulatorEngine extends Engine {
  status(): EngineStatus;
  /** Removes the containers and images in docker or podman that no emulator needs anymore. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the engine of `--engine`. `auto` takes a container engine that works, or processes otherwise, and decides on the first use. Throws
 * NoContainerEngine if `container` was chosen and none works.
 */
export async function openEngine({ choice, env, log, ...options }: EngineOptions): Promise<EmulatorEngine> {
  const reaper = createReaper();
  const processes = createProcessEngine({ env, python: env["CLOUDRUN_OAUTH_PYTHON"], reaper });
  const containers = createContainerEngine({ ...options, env, reaper });
  let search: ContainerProgramSearch | undefined;
  let chosen: Engine | undefined = choice === "process" ? processes : undefined;
  const choose = async (): Promise<Engine> => {
    if (chosen) return chosen;
    const result = await containers.find();
    if (chosen) return chosen;
    search = result;
    chosen = search.program ? containers : processes;
    const where = search.program ? `in containers (${search.program.name})` : "as local processes";
    log(`Services run ${where}${search.unusable.length > 0 ? `; unavailable: ${search.unusable.join("; ")}` : ""}`);
    return chosen;
  };
  if (choice === "container" && (await choose()) !== containers) throw new NoContainerEngine(search as ContainerProgramSearch);

  return {
    get name() {
      return (chosen ?? processes).name;
    },
    // With `auto`, an image runs on the engine that built it.
    runnerOf: (name) => [processes, containers].find((engine) => engine.name === name && (choice === "auto" || choice === name)),
    build: async (build) => (await choose()).build(build),
    start: async (start) => (await choose()).start(start),
    status() {
      void choose();
      return { name: chosen?.name ?? null, program: search?.program?.name ?? null, passed_over: search?.unusable ?? [] };
    },
    sweep: containers.sweep,
    close: containers.close,
  };
}
