import { resolve } from "node:path";
import { pause } from "../../poll.ts";
import type { ImageConfig } from "../../state/resources.ts";
import { BuildError, type BuildOptions } from "../engine.ts";
import { buildPartialImage } from "../partial-image.ts";
import { GRACE_PERIOD_MS, startGroup, waitForExit } from "../process-group.ts";
import { findOrphans } from "../orphans.ts";
import { networkFlags } from "./network.ts";
import { runProgram } from "./container-program.ts";
import { imageIdFile, readImageId, type OpenedEngine } from "./owned-resources.ts";

// Time that podman needs to clean up after a failed command.
const PODMAN_CLEANUP_TIMEOUT_MS = 3_000;

/** Builds an image as Engine.build says; docker or podman stores it, and the image's directory names it. */
export async function buildImage(options: BuildOptions, builder: OpenedEngine): Promise<ImageConfig> {
  const { program, resources, env } = builder;
  return buildPartialImage(options, async (partial) => {
    const dockerfile = resolve(options.context, options.dockerfile);
    const flags = ["--file", dockerfile, "--iidfile", imageIdFile(partial), "--label", resources.imageLabel];
    await run(["build", ...flags, ...networkFlags(program), options.context], options, builder);

    const id = readImageId(partial);
    // `docker image prune` leaves tagged images alone.
    await runProgram(program.file, ["tag", id, `localhost/cloudrun-oauth:${id.replace("sha256:", "").slice(0, 12)}`], env);
    return readConfig(await runProgram(program.file, ["image", "inspect", "--format", "{{json .Config}}", id], env));
  });
}

async function run(args: readonly string[], { log, signal, context }: BuildOptions, { program, env, reaper }: OpenedEngine): Promise<void> {
  let lastLine = "";
  const group = await startGroup({
    argv: [program.file, ...args],
    cwd: context,
    // Plain lines instead of BuildKit's live display.
    env: { BUILDKIT_PROGRESS: "plain", ...Object.fromEntries(Object.entries(env).filter(isSet)) },
    log: (_stream, line) => {
      log(`${line}\n`);
      if (line.trim() !== "") lastLine = line;
    },
    reaper,
  });
  const abort = async (): Promise<void> => {
    // Podman runs a command in its own session. When the command ends, podman cleans up and exits; if podman ended first, the command would
    // keep running.
    const orphans = findOrphans(group.pid);
    for (const pid of orphans) kill(pid);
    if (orphans.length > 0) await Promise.race([group.exited, pause(PODMAN_CLEANUP_TIMEOUT_MS, { ref: false })]);
    await group.stop(GRACE_PERIOD_MS);
  };
  const { code } = await waitForExit(group, signal, abort);
  if (code !== 0) throw new BuildError(lastLine.replace(/^(Error|ERROR): /, ""));
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has just exited.
  }
}

function isSet(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined;
}

function readConfig(text: string): ImageConfig {
  const { Env, Entrypoint, Cmd, WorkingDir, User } = JSON.parse(text) as { [Name in keyof ImageConfig]?: ImageConfig[Name] | null };
  return { Env: Env ?? [], Entrypoint: Entrypoint ?? [], Cmd: Cmd ?? [], WorkingDir: WorkingDir || "/", User: User ?? "" };
}
