import { mkdirSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { State } from "../state/state.ts";

/** By then the reaper has ended the processes of a killed emulator. */
const REAPER_TIMEOUT_MS = 5_000;

/** Creates a new folder for each run of a build: processes of an interrupted run still write to the old one. */
export function createBuildFolder({ directory }: Pick<State, "directory">, id: string): Promise<string> {
  const builds = join(directory, "builds");
  mkdirSync(builds, { recursive: true, mode: 0o700 });
  return mkdtemp(join(builds, `${id}-`));
}

/**
 * Removes the folders of builds that a crash interrupted, including files that are still being written. Call it before
 * the first build.
 */
export async function removeStaleBuildFolders({ directory }: Pick<State, "directory">): Promise<void> {
  const builds = join(directory, "builds");
  mkdirSync(builds, { recursive: true, mode: 0o700 });
  const folders = readdirSync(builds).map((name) => join(builds, name));
  // Removing a folder fails if files are still being written to it.
  const remove = () => Promise.allSettled(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  await remove();
  if (folders.length === 0) return;
  await sleep(REAPER_TIMEOUT_MS, undefined, { ref: false });
  await remove();
}
