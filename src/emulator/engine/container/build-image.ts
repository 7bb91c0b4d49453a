import { mkdir, rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ImageConfig } from "../../state/resources.ts";
import { BuildError, type BuildOptions } from "../engine.ts";
import type { Machine } from "../host-tools.ts";
import { startGroup } from "../process-group.ts";
import type { Reaper } from "../reaper.ts";
import { findOrphans } from "../orphans.ts";
import { networkFlags } from "./network.ts";
import { runProgram, type ContainerProgram } from "./program.ts";
import { imageIdFile, readImageId, type Storage } from "./storage.ts";

interface Builder {
  readonly program: ContainerProgram;
  readonly storage: Storage;
  readonly env: Machine["env"];
  readonly reaper: Reaper;
}

// In milliseconds: what podman needs to clear away after a command that failed, and what docker waits for.
const CLEARING = 3_000;
const GRACE = 10_000;

/** Builds an image as Engine.build says; docker or podman keeps it, and the image's directory names it. */
export async function buildImage(options: BuildOptions, builder: Builder): Promise<ImageConfig> {
  const { context, dockerfile, directory, signal } = options;
  const { program, storage, env } = builder;
  const partial = `${directory}.partial`;
  try {
    signal.throwIfAborted();
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true, mode: 0o700 });
    const flags = ["--file", resolve(context, dockerfile), "--iidfile", imageIdFile(partial), "--label", storage.imageLabel];
    await run(["build", ...flags, ...networkFlags(program), context], options, builder);

    const id = readImageId(partial);
    // What has a name is no rubbish to `docker image prune`.
    await runProgram(program.file, ["tag", id, `localhost/cloudrun-oauth:${id.replace("sha256:", "").slice(0, 12)}`], env);
    const config = await runProgram(program.file, ["image", "inspect", "--format", "{{json .Config}}", id], env);
    signal.throwIfAborted();
    await rm(directory, { recursive: true, force: true });
    await rename(partial, directory);
    return readConfig(config);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (signal.aborted) throw new BuildError("The build was cancelled.", { cause: error });
    throw error;
  }
}

async function run(args: readonly string[], { log, signal, context }: BuildOptions, { program, env, reaper }: Builder): Promise<void> {
  let last = "";
  const group = await startGroup({
    argv: [program.file, ...args],
    cwd: context,
    // One line after the other, whatever else BuildKit would show.
    env: { BUILDKIT_PROGRESS: "plain", ...Object.fromEntries(Object.entries(env).filter(isSet)) },
    log: (_stream, line) => {
      log(`${line}\n`);
      if (line.trim() !== "") last = line;
    },
    reaper,
  });
  const abort = async (): Promise<void> => {
    // A command of podman's is in a session of its own. Once it has ended, podman clears away and ends, too; ended first, podman would leave it running.
    const strays = findOrphans(group.pid);
    for (const pid of strays) kill(pid);
    if (strays.length > 0) await Promise.race([group.exited, delay(CLEARING, undefined, { ref: false })]);
    await group.stop(GRACE);
  };
  const onAbort = (): void => void abort();
  signal.addEventListener("abort", onAbort);
  const { code } = await group.exited;
  signal.removeEventListener("abort", onAbort);
  signal.throwIfAborted();
  if (code !== 0) throw new BuildError(last.replace(/^(Error|ERROR): /, ""));
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}

function isSet(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined;
}

function readConfig(text: string): ImageConfig {
  const { Env, Entrypoint, Cmd, WorkingDir, User } = JSON.parse(text) as { [Name in keyof ImageConfig]?: ImageConfig[Name] | null };
  return { Env: Env ?? [], Entrypoint: Entrypoint ?? [], Cmd: Cmd ?? [], WorkingDir: WorkingDir || "/", User: User ?? "" };
}
