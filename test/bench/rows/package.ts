import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Trial } from "../measure.ts";
import { makeFolder, npmEnvironment } from "../ground.ts";
import type { World } from "../world.ts";

export async function packageSize(world: World): Promise<Trial> {
  const argv = ["npm", "pack", "--dry-run", "--json", "--ignore-scripts"];
  const env = { ...world.env, ...npmEnvironment() };
  return {
    async ours() {
      const [{ unpackedSize }] = JSON.parse(await world.processes.read(argv, env, world.root)) as [{ unpackedSize: number }];
      return unpackedSize / 1e6;
    },
    ...ONCE,
    unit: "MB",
  };
}

/** Packs it, and installs what was packed, with nothing but what is in the file. */
export async function packageCount(world: World): Promise<Trial> {
  const env = { ...world.env, ...npmEnvironment() };
  const { processes } = world;
  return {
    async ours() {
      const folder = makeFolder(world, { "package.json": "{}" });
      const pack = ["npm", "pack", "--json", "--ignore-scripts", "--pack-destination", folder];
      const [{ filename }] = JSON.parse(await processes.read(pack, env, world.root)) as [{ filename: string }];
      await processes.time(["npm", "install", "--offline", "--ignore-scripts", join(folder, filename)], env, folder);
      const installed = JSON.parse(readFileSync(join(folder, "node_modules", ".package-lock.json"), "utf8")) as { packages: object };
      return Object.keys(installed.packages).length;
    },
    ...ONCE,
    unit: "packages",
  };
}

const ONCE = { rounds: 1, warm: false } as const;
