import { join } from "node:path";
import { findProgram } from "./processes.ts";
import { makeFolder } from "./ground.ts";
import type { World } from "./world.ts";

interface WrkOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly seconds?: number;
}

/** What a run of wrk came to. */
interface Asked {
  readonly perSecond: number;
  readonly requests: number;
}

/** Requests at 32 connections. The headers go by a file, since a token has no place among a program's arguments. Throws Missing, and where not all is answered well. */
export async function runWrk(world: World, url: string, { headers = {}, seconds = 2 }: WrkOptions = {}): Promise<Asked> {
  const lines = Object.entries(headers).map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}\n`);
  const script = join(makeFolder(world, { "headers.lua": lines.join("") }), "headers.lua");
  const argv = [findProgram("wrk"), "-t1", "-c32", "--timeout", "20s", `-d${seconds}s`, "-s", script, url];
  const printed = await world.processes.read(argv, world.env);
  if (/Non-2xx|Socket errors/.test(printed))
    throw new Error(
      `wrk: ${printed
        .match(/.*(?:Non-2xx|Socket errors).*/g)
        ?.join("; ")
        .trim()}`,
    );
  return { perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(printed)?.[1]), requests: Number(/(\d+) requests in /.exec(printed)?.[1]) };
}
