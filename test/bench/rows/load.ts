import type { Trial } from "../measure.ts";
import { Missing } from "../missing.ts";
import { compareRates } from "../rates.ts";
import type { World } from "../world.ts";
import { runWrk } from "../wrk.ts";

/** The emulator verifies the token and asks the policy; its service is the program that the proxy stands before. */
export async function frontDoor(world: World): Promise<Trial> {
  const { pid, url, service, idToken } = await world.emulator();
  const headers = { Host: new URL(service).host, Authorization: `Bearer ${await idToken(service)}` };
  return compareRates(world, { pid, url, headers }, await world.ownProxy());
}

export async function load(world: World): Promise<Trial> {
  const { processes, own } = world;
  const [emulator, origin] = [await world.emulator(), await world.origin()];
  const help = await processes.read([...own, "help", "load"], world.env).catch(() => "");
  if (!help.includes("--concurrency")) throw new Missing("there is no command load yet");
  const headers = { Authorization: `Bearer ${await emulator.idToken(origin.url)}` };
  const argv = [...own, "load", origin.url, "--credentials", emulator.credentials, "--duration", "5s", "--concurrency", "32", "--json"];
  return {
    ours: async () => requestsPerSecond(JSON.parse(await processes.read(argv, emulator.plain))),
    peer: async () => (await runWrk(world, origin.url, { headers, seconds: 5 })).perSecond,
    unit: "/s",
    rounds: 3,
  };
}

/** Wherever in the document it stands. */
function requestsPerSecond(document: unknown): number {
  if (typeof document !== "object" || document === null) return NaN;
  for (const [name, value] of Object.entries(document)) {
    const found = name === "requests_per_second" ? Number(value) : requestsPerSecond(value);
    if (!Number.isNaN(found)) return found;
  }
  return NaN;
}
