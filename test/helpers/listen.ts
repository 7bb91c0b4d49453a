import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo, Server as TcpServer } from "node:net";
import { onTestFinished } from "vitest";

/** Lets a server listen on a free port until the test ends, or `atEnd` calls back; returns the port. */
export async function listen(server: Server | TcpServer, atEnd: (close: () => void) => void = onTestFinished): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  atEnd(() => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
