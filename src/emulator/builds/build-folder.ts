import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "../poll.ts";
import { privateFolder } from "../state/private-folder.ts";
import type { State } from "../state/state.ts";

/** By then the reaper has ended the processes of a killed emulator. */
const REAPER_TIMEOUT_MS = 5_000;

/** Creates a new folder for each run of a build: processes of an interrupted run still write to the old one. */
export function createBuildFolder(state: Pick<State, "directory">, id: string): Promise<string> {
  return mkdtemp(join(privateFolder(state, "builds"), `${id}-`));
}

/** Removes the folders of interrupted builds, including files that are still being written. Call it before the first build. */
export async function removeStaleBuildFolders(state: Pick<State, "directory">): Promise<void> {
  const builds = privateFolder(state, "builds");
  const folders = readdirSync(builds).map((name) => join(builds, name));
  // Removing a folder fails if files are still being written to it.
  const remove = () => Promise.allSettled(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  await remove();
  if (folders.length === 0) return;
  await pause(REAPER_TIMEOUT_MS, { ref: false });
  await remove();
}
