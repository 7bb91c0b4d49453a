import { mkdirSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { State } from "../state/state.ts";

/** Milliseconds for which what a killed emulator had started may go on to write: its reaper has ended it by then. */
const LAST_WRITES = 5_000;

/** Makes the folder that a build works in. It is another one each time that the build is begun: whatever still writes to the last one is no part of it. */
export function makeBuildFolder({ directory }: Pick<State, "directory">, id: string): Promise<string> {
  const builds = join(directory, "builds");
  mkdirSync(builds, { recursive: true, mode: 0o700 });
  return mkdtemp(join(builds, `${id}-`));
}

/** Removes the folders of builds that a crash cut off, and what is still written to them meanwhile. To be called before the first build. */
export async function sweepBuildFolders({ directory }: Pick<State, "directory">): Promise<void> {
  const builds = join(directory, "builds");
  mkdirSync(builds, { recursive: true, mode: 0o700 });
  const left = readdirSync(builds).map((name) => join(builds, name));
  // A folder that is written to while it is removed may turn out not to be empty.
  const remove = () => Promise.allSettled(left.map((folder) => rm(folder, { recursive: true, force: true })));
  await remove();
  if (left.length === 0) return;
  await sleep(LAST_WRITES, undefined, { ref: false });
  await remove();
}
