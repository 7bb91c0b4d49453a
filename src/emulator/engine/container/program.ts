import { mkdir, rm } from "node:fs/promises";
import { findOnPath, type Machine } from "../host-tools.ts";
import { limitFlags } from "./limits.ts";

/** A docker or podman of this machine that runs containers. */
export interface ContainerProgram {
  readonly name: "docker" | "podman";
  /** Absolute. */
  readonly file: string;
  /** True where containers can have this machine's network; false where they run in a virtual machine, as on macOS and Windows. */
  readonly sharesNetwork: boolean;
}

/** What a look for container engines found. */
export interface Found {
  readonly program?: ContainerProgram;
  /** Why each one that would have come first is not taken: `docker: Cannot connect to …`. */
  readonly passedOver: readonly string[];
}

type Environment = Machine["env"];

// In milliseconds. A daemon that hangs is one that does not work.
const PROBE_LIMIT = 5_000;

const PROBES = { docker: probeDocker, podman: probePodman };

/** Looks for a container engine that works: docker, else podman. It takes a tenth or two of a second, and a folder for the time being. */
export async function findContainerProgram(env: Environment, folder: string): Promise<Found> {
  const passedOver: string[] = [];
  for (const name of ["docker", "podman"] as const) {
    const file = findOnPath(name, env);
    try {
      if (file === undefined) throw new Error("it is not installed");
      return { program: { name, file, sharesNetwork: await PROBES[name](file, env, folder) }, passedOver };
    } catch (error) {
      passedOver.push(`${name}: ${(error as Error).message}`);
    }
  }
  return { passedOver };
}

/** Runs a command of docker or podman to its end; gives back what it printed. Throws an Error in its last words. */
export async function runProgram(file: string, args: readonly string[], env: Environment): Promise<string> {
  const { stdout, ...end } = await tell(file, args, env);
  if (end.exitCode !== 0) throw failure(end);
  return stdout.trim();
}

/** Gives back whether containers can have this machine's network. */
async function probeDocker(file: string, env: Environment): Promise<boolean> {
  const text = await runProgram(file, ["version", "--format", "{{json .Server}}"], env);
  const server = JSON.parse(text) as { Platform?: { Name?: string }; Components?: readonly { Name?: string }[] } | null;
  if (!server) throw new Error("it has no daemon");
  const isRootless = server.Components?.some(({ Name }) => Name === "rootlesskit") ?? false;
  return process.platform === "linux" && !server.Platform?.Name?.startsWith("Docker Desktop") && !isRootless;
}

/** Podman has no daemon to ask: whether this machine lets it start anything is found out by starting something that is not there. */
async function probePodman(file: string, env: Environment, rootfs: string): Promise<boolean> {
  if (process.platform !== "linux") {
    await runProgram(file, ["version", "--format", "{{.Server.Version}}"], env);
    return false;
  }
  try {
    await mkdir(rootfs, { recursive: true });
    const flags = ["--rm", "--network", "host", "--log-driver", "none", ...limitFlags(LEAST)];
    const end = await tell(file, ["--log-level", "error", "run", ...flags, "--rootfs", rootfs, "/nothing"], env);
    if (end.exitCode !== NOT_FOUND) throw failure(end);
    return true;
  } finally {
    await rm(rootfs, { recursive: true, force: true });
  }
}

/** Limits that every instance can bear. */
const LEAST = { memory: 128 * 1024 * 1024, cpu: 1 };

// https://docs.podman.io/en/latest/markdown/podman-run.1.html#exit-status
const NOT_FOUND = 127;

interface End {
  readonly exitCode?: number | undefined;
  readonly stderr: string;
  readonly message?: string;
}

async function tell(file: string, args: readonly string[], env: Environment) {
  const { execa } = await import("execa");
  return execa(file, args, { env: { ...env }, extendEnv: false, stdin: "ignore", reject: false, timeout: PROBE_LIMIT });
}

function failure({ stderr, message = "" }: End): Error {
  const lines = (stderr.trim() || message).split("\n");
  return new Error(lines.at(-1)?.replace(/^Error: /, "") ?? "");
}
