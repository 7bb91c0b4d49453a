import type { Ground } from "./ground.ts";
import { startEmulator, type BenchEmulator } from "./parts/emulator.ts";
import { startOrigin, type Origin } from "./parts/origin.ts";
import { startGoProxy, startNginx, startOwnProxy, type Door } from "./parts/proxies.ts";

/** What rows are measured with: each part is started when a row first asks for it. */
export interface World extends Ground {
  emulator(): Promise<BenchEmulator>;
  origin(): Promise<Origin>;
  ownProxy(): Promise<Door>;
  /** Another one, that has passed on nothing yet. */
  freshProxy(): Promise<Door>;
  nginx(): Promise<Door>;
  goProxy(): Promise<Door>;
}

export function createWorld(ground: Ground): World {
  const emulator = once(() => startEmulator(ground));
  const origin = once(() => startOrigin(ground));
  const freshProxy = async () => startOwnProxy(ground, await origin(), await emulator());
  return {
    ...ground,
    emulator,
    origin,
    ownProxy: once(freshProxy),
    freshProxy,
    nginx: once(async () => startNginx(ground, await origin())),
    goProxy: once(async () => startGoProxy(ground, await origin())),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
