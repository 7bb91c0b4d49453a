import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Engine, Instance, StartOptions } from "../../src/emulator/engine/engine.ts";
import { createProcessEngine } from "../../src/emulator/engine/process/process-engine.ts";
import { createReaper } from "../../src/emulator/engine/reaper.ts";
import { releasePort, reservePort } from "../../src/emulator/run/instances/ports.ts";
import type { ImageConfig } from "../../src/emulator/state/resources.ts";

/** Files by path, with slashes. */
export type Files = Readonly<Record<string, string>>;

export interface Image {
  readonly engine: Engine;
  readonly directory: string;
  readonly config: ImageConfig;
  /** The build's log. */
  readonly log: string;
  /** The host's path of a container's path. */
  path(containerPath: string): string;
}

interface ImageOptions {
  readonly python?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  readonly onLog?: (text: string) => void;
}

export function temporaryFolder(files: Files = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "cloudrun-oauth-engine-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFiles(folder, files);
  return folder;
}

export function writeFiles(folder: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** Builds an image from a context, given as a folder or as its files, including the Dockerfile. */
export async function buildImage(context: string | Files, { python, env = process.env, signal, onLog }: ImageOptions = {}): Promise<Image> {
  const engine = createProcessEngine({ ...(python && { python }), env, reaper: createReaper() });
  const directory = join(temporaryFolder(), "images", "one");
  let log = "";
  const config = await engine.build({
    context: typeof context === "string" ? context : temporaryFolder(context),
    dockerfile: "Dockerfile",
    directory,
    log: (text) => {
      log += text;
      onLog?.(text);
    },
    signal: signal ?? new AbortController().signal,
  });
  return { engine, directory, config, log, path: (path) => join(directory, "rootfs", path) };
}

/** Starts an instance, which is killed when the test ends; `lines` is what it has written so far. */
export async function startInstance(
  { engine, directory, config }: Image,
  options: Partial<Pick<StartOptions, "command" | "args" | "env" | "port">> = {},
): Promise<Instance & { readonly lines: string[] }> {
  const lines: string[] = [];
  const instance = await engine.start({
    directory,
    config,
    env: {},
    port: 0,
    ...options,
    log: (stream, line) => lines.push(`${stream}: ${line}`),
  });
  onTestFinished(() => instance.stop(0));
  return { ...instance, lines };
}

/** Returns a free port that no other test of this process gets. */
export async function freePort(): Promise<number> {
  const port = await reservePort();
  onTestFinished(() => releasePort(port));
  return port;
}

/** Waits until a condition holds; fails after 20 seconds. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`Not so after 20 seconds: ${isSo.toString()}`);
    await new Promise((passed) => setTimeout(passed, 20));
  }
}

/** Whether a process is running, and not just waiting to be reaped. */
export function isRunning(pid: number): boolean {
  if (existsSync("/proc/self/stat")) return existsSync(`/proc/${pid}`) && !isZombie(pid);
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}
