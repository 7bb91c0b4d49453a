import { randomUUID } from "node:crypto";
import { constants } from "node:os";
import type { Instance, StartOptions } from "../engine.ts";
import type { Machine } from "../host-tools.ts";
import { startGroup } from "../process-group.ts";
import type { Reaper } from "../reaper.ts";
import { limitFlags } from "./limits.ts";
import { placeInstance } from "./network.ts";
import type { ContainerProgram } from "./program.ts";
import { readImageId, type Storage } from "./storage.ts";

interface Runner {
  readonly program: ContainerProgram;
  readonly storage: Storage;
  /** What docker or podman itself needs of the user's environment. */
  readonly env: Machine["env"];
  /** Files of this machine that instances find under the same path where their environment names them. */
  readonly shared: readonly string[];
  readonly reaper: Reaper;
}

// Unlike Cloud Run: files that an instance writes are kept on the disk, not in its memory.
/** Starts a container; the process of Instance.pid is docker's or podman's, which passes output and signals on. */
export async function startInstance(options: StartOptions, { program, storage, shared, reaper, ...runner }: Runner): Promise<Instance> {
  const { directory, command = [], args = [], limits, mounts = [], port, log } = options;
  const name = `cloudrun-oauth-${randomUUID()}`;
  const { flags, env } = placeInstance(program, port, options.env);
  const [entrypoint, ...words] = command;
  const { given, passed } = splitEnvironment(env);
  const run = ["run", "--rm", "--name", name, "--pull", "never", "--log-driver", "none"];
  const group = await startGroup({
    argv: [
      program.file,
      ...(program.name === "podman" ? ["--log-level", "error", ...run, "--http-proxy=false"] : run),
      ...storage.containerLabels.flatMap((label) => ["--label", label]),
      ...flags,
      ...limitFlags(limits),
      ...shared.flatMap((file) => (Object.values(env).includes(file) ? mountFlags(file, file) : [])),
      ...mounts.flatMap((mount) => mountFlags(mount.directory, mount.path)),
      ...mounts.flatMap((mount) => ["--volume", `${mount.directory}:${mount.path}:ro`]),
      ...[...given, ...Object.keys(passed)].flatMap((variable) => ["--env", variable]),
      ...(entrypoint === undefined ? [] : ["--entrypoint", entrypoint]),
      readImageId(directory),
      ...words,
      ...args,
    ],
    cwd: directory,
    env: { ...ownEnvironment(runner.env), ...passed },
    log,
    reaper,
  });
  const exited = group.exited.then(async ({ code, signal }) => {
    // Whoever ends docker or podman itself has not ended the container.
    if (code === null) await storage.remove(name);
    return readEnd(code, signal);
  });
  return {
    pid: group.pid,
    port,
    exited,
    async stop(grace) {
      await group.stop(grace);
      await exited;
    },
  };
}

/** How a container ended: a signal is told by 128 and its number, as by a shell. */
function readEnd(code: number | null, signal: string | null): Awaited<Instance["exited"]> {
  const name = Object.entries(constants.signals).find(([, number]) => number === (code ?? 0) - 128)?.[0];
  return name === undefined ? { code, signal } : { code: null, signal: name };
}

function mountFlags(source: string, target: string): readonly string[] {
  return ["--mount", `type=bind,source=${source},target=${target},readonly`];
}

// What docker and podman read themselves, and what the programs that they are made of do.
const OWN =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|XDG_.*|DOCKER_.*|CONTAINERS?_.*|PODMAN_.*|BUILDAH_.*|STORAGE_.*|REGISTRY_AUTH_FILE|DBUS_SESSION_BUS_ADDRESS|LD_.*|GO(DEBUG|GC|MAXPROCS|MEMLIMIT|TRACEBACK)|SYSTEMROOT|APPDATA|LOCALAPPDATA|USERPROFILE|PROGRAMDATA|TEMP|TMP)$/i;

/** The part of the user's environment that docker or podman needs to run. */
export function ownEnvironment(env: Machine["env"]): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && OWN.test(entry[0])));
}

/** An instance's environment passes through that of docker or podman, so that no secret stands in the arguments of a process; but for what would mean something to it. */
function splitEnvironment(env: Readonly<Record<string, string>>): { given: string[]; passed: Record<string, string> } {
  const entries = Object.entries(env);
  return {
    given: entries.filter(([name]) => OWN.test(name)).map(([name, value]) => `${name}=${value}`),
    passed: Object.fromEntries(entries.filter(([name]) => !OWN.test(name))),
  };
}
