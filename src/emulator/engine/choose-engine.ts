import { createContainerEngine } from "./container/container-engine.ts";
import type { Found } from "./container/program.ts";
import type { Engine } from "./engine.ts";
import { NoContainerEngine } from "./no-container-engine.ts";
import { createProcessEngine } from "./process/process-engine.ts";
import { createReaper } from "./reaper.ts";

/** How `--engine` names engines. */
export type EngineChoice = "auto" | Engine["name"];

interface MachineEngineOptions {
  readonly choice: EngineChoice;
  /** The emulator's directory. */
  readonly directory: string;
  /** Files that instances find under the same path where their environment names them. */
  readonly shared: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: (line: string) => void;
}

/** What an engine is, as `emulator status` shows it; its name is null until it is known. */
export interface EngineStatus {
  readonly name: Engine["name"] | null;
  readonly program: "docker" | "podman" | null;
  /** The container engines that are not taken, and why: `docker: Cannot connect to …`. */
  readonly passed_over: readonly string[];
}

/** The engine of one emulator. */
export interface MachineEngine extends Engine {
  status(): EngineStatus;
  /** Removes what docker or podman keeps of images that are gone. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/** An engine by choice; `auto` is a container engine that works, else processes, and is decided when it is first needed. Throws NoContainerEngine where one is asked for. */
export async function openMachineEngine({ choice, env, log, ...options }: MachineEngineOptions): Promise<MachineEngine> {
  const reaper = createReaper();
  const processes = createProcessEngine({ env, python: env["CLOUDRUN_OAUTH_PYTHON"], reaper });
  const containers = createContainerEngine({ ...options, env, reaper });
  let found: Found | undefined;
  let chosen: Engine | undefined = choice === "process" ? processes : undefined;
  const choose = async (): Promise<Engine> => {
    if (chosen) return chosen;
    const looked = await containers.find();
    if (chosen) return chosen;
    found = looked;
    chosen = found.program ? containers : processes;
    const what = found.program ? `in containers, by ${found.program.name}` : "as processes of this machine";
    log([`Services run ${what}`, ...found.passedOver.map((each) => `passed over ${each}`)].join("; "));
    return chosen;
  };
  if (choice === "container" && (await choose()) !== containers) throw new NoContainerEngine(found as Found);

  return {
    get name() {
      return (chosen ?? processes).name;
    },
    // With `auto`, an image keeps to the engine that has built it.
    runnerOf: (name) => [processes, containers].find((each) => each.name === name && (choice === "auto" || choice === name)),
    build: async (build) => (await choose()).build(build),
    start: async (start) => (await choose()).start(start),
    status() {
      void choose();
      return { name: chosen?.name ?? null, program: found?.program?.name ?? null, passed_over: found?.passedOver ?? [] };
    },
    sweep: containers.sweep,
    close: containers.close,
  };
}
