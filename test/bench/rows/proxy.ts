import { truncateSync, writeFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Trial } from "../measure.ts";
import { BIG } from "../parts/origin.ts";
import { findProgram } from "../processes.ts";
import { makeFolder } from "../ground.ts";
import { compareRates } from "../rates.ts";
import type { World } from "../world.ts";
import { runWrk } from "../wrk.ts";

export async function proxyNginx(world: World): Promise<Trial> {
  return compareRates(world, await world.ownProxy(), await world.nginx());
}

export async function proxyGo(world: World): Promise<Trial> {
  return compareRates(world, await world.ownProxy(), await world.goProxy());
}

/** Both with the same client and the same service: the difference is what the proxy adds. */
export async function proxyLatency(world: World): Promise<Trial> {
  const [proxy, origin] = [await world.ownProxy(), await world.origin()];
  const { processes, env, program } = world;
  const paced = async (port: number) =>
    Number(await processes.read([process.execPath, program("paced.mjs"), String(port), "1000", "3", "32"], env));
  return { ours: () => paced(proxy.port), peer: () => paced(origin.port), unit: "ms", rounds: 5 };
}

export async function proxyDownload(world: World): Promise<Trial> {
  const curl = findProgram("curl");
  const [ours, peer] = [await world.ownProxy(), await world.nginx()];
  const get = (url: string) => throughput(world, [curl, "-fsS", "-o", "/dev/null", `${url}/big`]);
  return { ours: () => get(ours.url), peer: () => get(peer.url), unit: "MB/s", rounds: 4 };
}

export async function proxyUpload(world: World): Promise<Trial> {
  const put = createUpload(world);
  const [ours, peer] = [await world.ownProxy(), await world.nginx()];
  return { ours: () => put(ours.url), peer: () => put(peer.url), unit: "MB/s", rounds: 4 };
}

/** How much more a proxy has held at the most, when it has passed on 1 GiB each way, than before. It is a fresh one, after a few calls. */
export async function proxyMemory(world: World): Promise<Trial> {
  const curl = findProgram("curl");
  const put = createUpload(world);
  const { pid, url } = await world.freshProxy();
  return {
    async ours() {
      await runWrk(world, url);
      const before = peakOf(pid);
      await throughput(world, [curl, "-fsS", "-o", "/dev/null", `${url}/big`]);
      await put(url);
      return peakOf(pid) - before;
    },
    unit: "MiB",
    rounds: 1,
    warm: false,
    note: () => `${Math.round(peakOf(pid))} MiB maximum`,
  };
}

function createUpload(world: World): (url: string) => Promise<number> {
  const curl = findProgram("curl");
  const file = join(makeFolder(world), "big");
  // It is nowhere on the disk: what has not been written reads as zeros.
  writeFileSync(file, "");
  truncateSync(file, BIG);
  return (url) => throughput(world, [curl, "-fsS", "-T", file, "-H", "Expect:", "-o", "/dev/null", `${url}/upload`]);
}

/** Megabytes a second, by curl's own clock. */
async function throughput({ processes, env }: World, [program = "", ...args]: readonly string[]): Promise<number> {
  const seconds = Number(await processes.read([program, "-w", "%{time_total}", ...args], env));
  return BIG / 1e6 / seconds;
}

/** MiB of resident memory that a process has ever held, as Linux counts. */
function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) / 1024;
}
