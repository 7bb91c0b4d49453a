import type { Trial } from "../measure.ts";
import { findProgram } from "../processes.ts";
import type { World } from "../world.ts";

export async function describe(world: World): Promise<Trial> {
  const gcloud = findProgram("gcloud");
  const { plain, tls, signIn } = await world.emulator();
  await signIn();
  return {
    ours: () => world.processes.time([...world.own, "--via", "api", "describe", "bench"], plain),
    peer: () => world.processes.time([gcloud, "run", "services", "describe", "bench"], tls),
    unit: "ms",
    rounds: 5,
  };
}

/** By hand is the very line that `--dry-run` prints. */
export async function deploy(world: World): Promise<Trial> {
  findProgram("gcloud");
  const { tls, signIn } = await world.emulator();
  await signIn();
  const { processes, own } = world;
  const image = (await processes.read([...own, "--via", "api", "describe", "bench", "--json"], tls).then(JSON.parse)) as { image: string };
  const argv = [...own, "--via", "gcloud", "deploy", "by-gcloud", "--image", image.image];
  const line = (await processes.read([...argv, "--dry-run"], tls)).trim();
  return {
    ours: () => processes.time(argv, tls),
    peer: () => processes.time(["/bin/sh", "-c", line], tls),
    unit: "ms",
    rounds: 4,
  };
}
