import { makeFolder } from "../ground.ts";
import type { Trial } from "../measure.ts";
import type { World } from "../world.ts";

/** What everybody waits for first. */
export async function version({ processes, own, env }: World): Promise<Trial> {
  return {
    ours: () => processes.time([...own, "--version"], env),
    peer: () => processes.time([process.execPath, "-e", "0"], env),
    unit: "ms",
    rounds: 25,
  };
}

/** From its start until an emulator without a past answers: keys and certificates are made anew. */
export async function emulatorReady(world: World): Promise<Trial> {
  const { processes, own, env } = world;
  return {
    async ours() {
      const argv = [...own, "emulator", "start", "--ephemeral", "--port", "0", "--data-dir", makeFolder(world)];
      const { readyAfter, stop } = await processes.start(argv, { env, ready: /\n/ });
      await stop();
      return readyAfter;
    },
    peer: () => processes.time([process.execPath, "-e", "0"], env),
    unit: "ms",
    rounds: 9,
  };
}
