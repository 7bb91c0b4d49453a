import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { splitHost } from "../server/hosts.ts";
import { forwardPlain, tunnel, type UpstreamProxy } from "../server/forward-proxy.ts";
import { metadataResponse } from "./metadata-routes.ts";
import type { Folder } from "./metadata.ts";

interface MetadataServer {
  /** On 127.0.0.1. */
  readonly port: number;
  close(): void;
}

interface MetadataServerOptions {
  readonly metadata: Folder;
  /** The emulator, which gets all other requests. */
  readonly emulator: UpstreamProxy;
  readonly log: (line: string) => void;
}

/** The metadata server's names in a container: https://cloud.google.com/run/docs/container-contract#metadata-server */
const NAMES = new Set(["metadata.google.internal", "metadata", "169.254.169.254"]);

/** Opens an instance's metadata server, which is also a proxy, so that requests to http://metadata.google.internal reach it. */
export async function openMetadataServer({ metadata, emulator, log }: MetadataServerOptions): Promise<MetadataServer> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const target = request.url ?? "/";
    const proxied = !target.startsWith("/") && URL.canParse(target) ? new URL(target) : undefined;
    if (proxied && !NAMES.has(proxied.hostname.replace(/\.$/, ""))) return forwardPlain(proxied, request, response, emulator);
    const path = proxied ? `${proxied.pathname}${proxied.search}` : target;
    const url = URL.canParse(path, "http://metadata.google.internal") ? new URL(path, "http://metadata.google.internal") : undefined;
    if (!url) return void response.writeHead(400).end();
    const { status, headers, body } = await metadataResponse(metadata, { method: request.method ?? "GET", url, headers: request.headers });
    response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body as string) });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      log(`The metadata server failed: ${error instanceof Error ? error.stack : String(error)}`);
      response.destroy();
    });
  });
  const tunnels = new Set<Duplex>();
  server.on("connect", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    tunnels.add(socket);
    socket.on("close", () => tunnels.delete(socket));
    const { host, port = 443 } = splitHost(request.url ?? "");
    if (host === "" || port > 65_535) return void socket.destroy();
    tunnel({ host, port }, socket, head, emulator);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
      for (const socket of tunnels) socket.destroy();
    },
  };
}
