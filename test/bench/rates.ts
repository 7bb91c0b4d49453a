import { readFileSync } from "node:fs";
import type { Trial } from "./measure.ts";
import type { World } from "./world.ts";
import { runWrk } from "./wrk.ts";

/** A process that answers. */
interface Answering {
  readonly pid: number;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Requests after which code that is run often has been compiled, and the most runs of a second for that on a slow machine. */
const WARM = 10_000;
const MOST_WARMING = 6;

/**
 * Requests a second, when both are warm. The note says how much of the processor's time each request took of the process: what a busy machine changes less than
 * the rate.
 */
export async function compareRates(world: World, ours: Answering, peer: Answering): Promise<Trial> {
  for (const each of [ours, peer]) await warmUp(world, each);
  const spent = { ours: { seconds: 0, requests: 0 }, peer: { seconds: 0, requests: 0 } };
  const ask = async ({ pid, url, headers = {} }: Answering, sum: { seconds: number; requests: number }) => {
    const before = processorTime(pid);
    const { perSecond, requests } = await runWrk(world, url, { headers });
    sum.seconds += processorTime(pid) - before;
    sum.requests += requests;
    return perSecond;
  };
  return {
    ours: () => ask(ours, spent.ours),
    peer: () => ask(peer, spent.peer),
    unit: "/s",
    rounds: 5,
    warm: false,
    note: () => `${micros(spent.ours)} / ${micros(spent.peer)} µs of CPU time per request`,
  };
}

async function warmUp(world: World, { url, headers = {} }: Answering): Promise<void> {
  let answered = 0;
  for (let run = 0; run < MOST_WARMING && answered < WARM; run += 1)
    answered += (await runWrk(world, url, { headers, seconds: 1 })).requests;
}

function micros({ seconds, requests }: { readonly seconds: number; readonly requests: number }): number {
  return Math.round((seconds / requests) * 1e6);
}

/** Seconds of processor time that a process has had, in steps of 10 ms, as Linux counts: proc(5), stat. */
function processorTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
