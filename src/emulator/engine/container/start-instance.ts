import { randomUUID } from "node:crypto";
import { constants } from "node:os";
import type { Instance, StartOptions } from "../engine.ts";
import type { HostTools } from "../host-tools.ts";
import { startGroup } from "../process-group.ts";
import { limitFlags } from "./limits.ts";
import { instanceNetwork } from "./network.ts";
import { readImageId, type OpenedEngine } from "./owned-resources.ts";

// Unlike Cloud Run: files that an instance writes are stored on disk, not in its memory.
/** Starts a container. Instance.pid is the process of docker or podman, which passes on output and signals. */
export async function startInstance(
  options: StartOptions,
  { program, resources, shared, reaper, ...host }: OpenedEngine,
): Promise<Instance> {
  const { directory, command = [], args = [], limits, mounts = [], port, log } = options;
  const name = `cloudrun-oauth-${randomUUID()}`;
  const { flags, env } = instanceNetwork(program, port, options.env);
  const [entrypoint, ...words] = command;
  const { asArguments, inherited } = splitEnvironment(env);
  const run = ["run", "--rm", "--name", name, "--pull", "never", "--log-driver", "none"];
  const group = await startGroup({
    argv: [
      program.file,
      ...(program.name === "podman" ? ["--log-level", "error", ...run, "--http-proxy=false"] : run),
      ...resources.containerLabels.flatMap((label) => ["--label", label]),
      ...flags,
      ...limitFlags(limits),
      ...shared.flatMap((file) => (Object.values(env).includes(file) ? mountFlags(file, file) : [])),
      ...mounts.flatMap((mount) => mountFlags(mount.directory, mount.path)),
      ...mounts.flatMap((mount) => ["--volume", `${mount.directory}:${mount.path}:ro`]),
      ...[...asArguments, ...Object.keys(inherited)].flatMap((variable) => ["--env", variable]),
      ...(entrypoint === undefined ? [] : ["--entrypoint", entrypoint]),
      readImageId(directory),
      ...words,
      ...args,
    ],
    cwd: directory,
    env: { ...engineEnvironment(host.env), ...inherited },
    log,
    reaper,
  });
  const exited = group.exited.then(async ({ code, signal }) => {
    // If docker or podman itself was killed, the container is still running.
    if (code === null) await resources.remove(name);
    return toExit(code, signal);
  });
  return {
    pid: group.pid,
    port,
    exited,
    async stop(gracePeriodMs) {
      await group.stop(gracePeriodMs);
      await exited;
    },
  };
}

/** How a container ended: docker and podman report a signal as 128 plus its number, as a shell does. */
function toExit(code: number | null, signal: string | null): Awaited<Instance["exited"]> {
  const name = Object.entries(constants.signals).find(([, number]) => number === (code ?? 0) - 128)?.[0];
  return name === undefined ? { code, signal } : { code: null, signal: name };
}

function mountFlags(source: string, target: string): readonly string[] {
  return ["--mount", `type=bind,source=${source},target=${target},readonly`];
}

// What docker, podman and the programs that they run read themselves.
const OWN_VARIABLES =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|XDG_.*|DOCKER_.*|CONTAINERS?_.*|PODMAN_.*|BUILDAH_.*|STORAGE_.*|REGISTRY_AUTH_FILE|DBUS_SESSION_BUS_ADDRESS|LD_.*|GO(DEBUG|GC|MAXPROCS|MEMLIMIT|TRACEBACK)|SYSTEMROOT|APPDATA|LOCALAPPDATA|USERPROFILE|PROGRAMDATA|TEMP|TMP)$/i;

/** The part of the user's environment that docker or podman needs to run. */
export function engineEnvironment(env: HostTools["env"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && OWN_VARIABLES.test(entry[0])),
  );
}

/**
 * Splits an instance's environment: most of it goes through the environment of docker or podman, so that no secret appears in process
 * arguments; variables that they would read themselves are passed as arguments.
 */
function splitEnvironment(env: Readonly<Record<string, string>>): { asArguments: string[]; inherited: Record<string, string> } {
  const entries = Object.entries(env);
  return {
    asArguments: entries.filter(([name]) => OWN_VARIABLES.test(name)).map(([name, value]) => `${name}=${value}`),
    inherited: Object.fromEntries(entries.filter(([name]) => !OWN_VARIABLES.test(name))),
  };
}
