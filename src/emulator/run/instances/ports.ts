import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the ephemeral ports of Linux, macOS and Windows: an outgoing connection could otherwise get the port before the instance does. */
const [FIRST_PORT, END_PORT] = [20_000, 32_768];

const reservedPorts = new Set<number>();

/** Reserves a free loopback port until it is released: two services must never share one, or calls would reach the wrong service. */
export async function reservePort(): Promise<number> {
  for (let attempt = 0; attempt < END_PORT - FIRST_PORT; attempt += 1) {
    const port = randomInt(FIRST_PORT, END_PORT);
    if (reservedPorts.has(port)) continue;
    reservedPorts.add(port);
    if (await isFree(port)) return port;
    reservedPorts.delete(port);
  }
  throw new Error(`No port from ${FIRST_PORT} to ${END_PORT - 1} is free.`);
}

export function releasePort(port: number): void {
  reservedPorts.delete(port);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
