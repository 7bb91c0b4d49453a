import { createServer, ServerResponse, type IncomingMessage } from "node:http";
import { createServer as createHttp2Server, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { headerLines, MAX_HEADER_BYTES } from "../../http/raw-headers.ts";
import { HTTP2_MAX_SESSION_MEMORY_MB, HTTP2_WINDOW_BYTES } from "./service-connections.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface RequestHandlers {
  /** With `isWebSocket` the caller asks for an upgrade; the response is bound to the connection all the same. */
  readonly http1: (request: IncomingMessage, response: ServerResponse, isWebSocket: boolean) => void;
  readonly http2: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
}

interface Listening {
  readonly port: number;
  /** Accepts no more connections. */
  stop(): void;
  /** Closes all connections. */
  destroy(): void;
}

/** How long an idle connection stays open: as long as browsers keep theirs. */
const KEEP_ALIVE_MS = 65_000;
/** How long the client of a malformed request has to read the response. */
const MALFORMED_LINGER_MS = 2000;
/** The first bytes of an HTTP/2 connection: RFC 9113, section 3.4. */
const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0");

/** Opens a port that speaks HTTP/1.1 and, with prior knowledge, HTTP/2. `createHandlers` gets the port's number. Rejects with the system's error. */
export async function listen({ host, port }: Address, createHandlers: (port: number) => RequestHandlers): Promise<Listening> {
  let handlers: RequestHandlers | undefined;
  // A slow upload has as much time as the service allows: Cloud Run has its own request timeout.
  const options = { maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 };
  const server = createServer(options, (request, response) => handlers?.http1(request, response, false));
  const http2 = createHttp2Server({
    settings: { initialWindowSize: HTTP2_WINDOW_BYTES.stream },
    maxSessionMemory: HTTP2_MAX_SESSION_MEMORY_MB,
  });
  http2.on("stream", (stream, headers) => handlers?.http2(stream, headers));
  http2.on("session", (session: ServerHttp2Session) => session.setLocalWindowSize(HTTP2_WINDOW_BYTES.session));
  http2.on("sessionError", () => {});

  const sockets = new Set<Socket>();
  const [acceptHttp1] = server.listeners("connection") as [(socket: Socket) => void];
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setNoDelay(true);
    const hangUp = () => socket.destroy();
    socket.setTimeout(KEEP_ALIVE_MS, hangUp);
    socket.once("data", (first) => {
      // From the first byte on, the server's own limits apply.
      socket.setTimeout(0, hangUp);
      socket.pause();
      socket.unshift(first);
      if (first.subarray(0, HTTP2_PREFACE.length).equals(HTTP2_PREFACE)) return http2.emit("connection", socket);
      acceptHttp1.call(server, socket);
      return socket.resume();
    });
  });
  server.on("upgrade", (request, socket: Socket, head) => {
    if (head.length > 0) socket.unshift(head);
    if (request.headers.upgrade?.toLowerCase() === "websocket") {
      const response = new ServerResponse(request);
      response.assignSocket(socket);
      response.shouldKeepAlive = false;
      response.on("finish", () => socket.end());
      return handlers?.http1(request, response, true);
    }
    // RFC 9110, section 7.8: a server can ignore an upgrade. Node has detached the connection already: it reads the request again, without the upgrade.
    const headers = request.rawHeaders.filter(
      (_, index, all) => !/^(?:connection|upgrade|http2-settings)$/i.test(all[index - (index % 2)] ?? ""),
    );
    socket.unshift(Buffer.from(`${request.method} ${request.url} HTTP/1.1\r\n${headerLines(headers)}\r\n`, "latin1"));
    acceptHttp1.call(server, socket);
    return socket.resume();
  });
  server.on("connect", (_, socket) => refuse(socket as Socket, "405 Method Not Allowed", "This proxy doesn't support CONNECT."));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    if (error.code === "HPE_HEADER_OVERFLOW")
      return refuse(socket as Socket, "431 Request Header Fields Too Large", `The request headers exceed ${MAX_HEADER_BYTES} bytes.`);
    refuseMalformed(socket as Socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 4096 }, () => {
      server.off("error", reject);
      handlers = createHandlers((server.address() as AddressInfo).port);
      resolve();
    });
  });
  // A machine that runs out of file descriptors accepts connections later.
  server.on("error", () => {});

  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      server.close();
      server.closeIdleConnections();
    },
    destroy() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
    },
  };
}

function refuseMalformed(socket: Socket): void {
  refuse(socket, "400 Bad Request", "Malformed HTTP request.");
}

function refuse(socket: Socket, status: string, text: string): void {
  socket.end(`HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\ncontent-length: ${text.length + 1}\r\nconnection: close\r\n\r\n${text}\n`);
  const timer = setTimeout(() => socket.destroy(), MALFORMED_LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}
