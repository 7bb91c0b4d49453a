import { mkdir, rm } from "node:fs/promises";
import { findOnPath, type HostTools } from "../host-tools.ts";
import { limitFlags } from "./limits.ts";

/** A working docker or podman on the host. */
export interface ContainerProgram {
  readonly name: "docker" | "podman";
  /** An absolute path. */
  readonly file: string;
  /** Whether containers can use the host's network; false if they run in a virtual machine, as on macOS and Windows. */
  readonly sharesNetwork: boolean;
}

export interface ContainerProgramSearch {
  readonly program?: ContainerProgram;
  /** Why each engine tried before can't be used: `docker: Cannot connect to …`. */
  readonly unusable: readonly string[];
}

/** Neither docker nor podman works; the message gives the reason for each. */
export class NoContainerEngine extends Error {
  override readonly name = "NoContainerEngine";

  constructor({ unusable }: ContainerProgramSearch) {
    super(`No container engine is available (${unusable.join("; ")}).`);
  }
}

type Environment = HostTools["env"];

// A daemon that hangs doesn't work.
const COMMAND_TIMEOUT_MS = 5_000;

const PROBES = { docker: probeDocker, podman: probePodman };

/** Finds a container engine that works: docker, else podman. It takes up to 200 ms, and uses `folder` temporarily. */
export async function findContainerProgram(env: Environment, folder: string): Promise<ContainerProgramSearch> {
  const unusable: string[] = [];
  for (const name of ["docker", "podman"] as const) {
    const file = findOnPath(name, env);
    try {
      if (file === undefined) throw new Error("not installed");
      return { program: { name, file, sharesNetwork: await PROBES[name](file, env, folder) }, unusable };
    } catch (error) {
      unusable.push(`${name}: ${(error as Error).message}`);
    }
  }
  return { unusable };
}

/** Runs a command of docker or podman and returns its output. Throws an Error with the last line of its error output. */
export async function runProgram(file: string, args: readonly string[], env: Environment): Promise<string> {
  const { stdout, ...result } = await runEngine(file, args, env);
  if (result.exitCode !== 0) throw toError(result);
  return stdout.trim();
}

/** Whether containers can use the host's network. */
async function probeDocker(file: string, env: Environment): Promise<boolean> {
  const text = await runProgram(file, ["version", "--format", "{{json .Server}}"], env);
  const server = JSON.parse(text) as { Platform?: { Name?: string }; Components?: readonly { Name?: string }[] } | null;
  if (!server) throw new Error("the daemon isn't Docker's");
  const isRootless = server.Components?.some(({ Name }) => Name === "rootlesskit") ?? false;
  return process.platform === "linux" && !server.Platform?.Name?.startsWith("Docker Desktop") && !isRootless;
}

/** Podman has no daemon to ask: the only way to find out whether it can start containers is to start a program that doesn't exist. */
async function probePodman(file: string, env: Environment, rootfs: string): Promise<boolean> {
  if (process.platform !== "linux") {
    await runProgram(file, ["version", "--format", "{{.Server.Version}}"], env);
    return false;
  }
  try {
    await mkdir(rootfs, { recursive: true });
    const flags = ["--rm", "--network", "host", "--log-driver", "none", ...limitFlags(MIN_LIMITS)];
    const result = await runEngine(file, ["--log-level", "error", "run", ...flags, "--rootfs", rootfs, "/nothing"], env);
    if (result.exitCode !== COMMAND_NOT_FOUND) throw toError(result);
    return true;
  } finally {
    await rm(rootfs, { recursive: true, force: true });
  }
}

const MIN_LIMITS = { memory: 128 * 1024 * 1024, cpu: 1 };

// https://docs.podman.io/en/latest/markdown/podman-run.1.html#exit-status
const COMMAND_NOT_FOUND = 127;

interface CommandResult {
  readonly exitCode?: number | undefined;
  readonly stderr: string;
  readonly message?: string;
}

async function runEngine(file: string, args: readonly string[], env: Environment) {
  const { execa } = await import("execa");
  return execa(file, args, { env: { ...env }, extendEnv: false, stdin: "ignore", reject: false, timeout: COMMAND_TIMEOUT_MS });
}

function toError({ stderr, message = "" }: CommandResult): Error {
  const lines = (stderr.trim() || message).split("\n");
  return new Error(lines.at(-1)?.replace(/^Error: /, "") ?? "");
}
