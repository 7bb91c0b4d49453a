import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below what Linux, macOS and Windows give to outgoing connections, one of which could otherwise get there before the instance does. */
const [FIRST, END] = [20_000, 32_768];

const taken = new Set<number>();

/** A free port of the loopback interface, which nobody else in this process is given before it is released: whoever listened there would get another service's calls. */
export async function takePort(): Promise<number> {
  for (let attempt = 0; attempt < END - FIRST; attempt += 1) {
    const port = randomInt(FIRST, END);
    if (taken.has(port)) continue;
    taken.add(port);
    if (await isFree(port)) return port;
    taken.delete(port);
  }
  throw new Error(`No port from ${FIRST} to ${END - 1} is free.`);
}

export function releasePort(port: number): void {
  taken.delete(port);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
