import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Trial } from "../measure.ts";
import { quantile } from "../statistics.ts";
import { makeFolder, npmEnvironment } from "../ground.ts";
import type { World } from "../world.ts";

/** From nothing to a call, as somebody without gcloud has it. npm alone then installs the same once more, for its share to be told. */
export async function quickstart(world: World): Promise<Trial> {
  const { processes, own } = world;
  const env = { ...world.env, ...npmEnvironment(), PATH: withoutGcloud(world) };
  const shares: number[] = [];
  return {
    async ours() {
      const folder = makeFolder(world);
      const ms = await processes.time([...own, "quickstart", "--template", "hono", "--dir", "hello"], env, folder);
      shares.push(await processes.time(["npm", "ci", "--omit=dev"], env, join(folder, "hello")));
      return ms / 1000;
    },
    unit: "s",
    rounds: 3,
    note: () => `npm ci alone ${(quantile(shares, 0.5) / 1000).toFixed(2)} s`,
  };
}

/** A PATH with all that is on this one but gcloud. */
function withoutGcloud(world: World): string {
  const folders = (world.env["PATH"] ?? "").split(delimiter).filter((folder) => existsSync(folder));
  return folders
    .map((folder) => {
      const programs = readdirSync(folder);
      if (!programs.includes("gcloud")) return folder;
      const mirror = join(makeFolder(world), "bin");
      mkdirSync(mirror);
      for (const program of programs) if (program !== "gcloud") symlinkSync(join(folder, program), join(mirror, program));
      return mirror;
    })
    .join(delimiter);
}
