import { createServer, ServerResponse, type IncomingMessage } from "node:http";
import { createServer as createHttp2Server, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { MOST_HEADER_BYTES } from "../../http/wire/fields.ts";
import type { Lane } from "../../http/wire/lane.ts";
import type { Door } from "./local-responses.ts";
import { openProxyLane } from "./lane/open-lane.ts";
import { HTTP2_WINDOWS } from "./upstream.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Who answers. */
export interface Answers {
  /** With `isWebSocket` the caller would change to that protocol; the response is bound to the connection all the same. */
  readonly answer: (request: IncomingMessage, response: ServerResponse, isWebSocket: boolean) => void;
  /** What requests in HTTP/1.1 need that are as most are. */
  readonly door: Door;
  readonly answerHttp2: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
}

interface Listening {
  readonly port: number;
  /** Takes no more connections. */
  stop(): void;
  /** Ends those that are there. */
  destroy(): void;
}

/** Milliseconds that a connection may rest: as long as browsers keep it. */
const REST = 65_000;
/** Milliseconds in which a client that sent what is malformed may read why. */
const LAST_READING = 2000;
/** What a connection in HTTP/2 begins with: RFC 9113, section 3.4. */
const PREFACE = Buffer.from("PRI * HTTP/2.0");

/** Opens a port that speaks HTTP/1.1, and HTTP/2 with who begins with it; who answers may want to know the port first. Rejects with the system's error where it cannot be had. */
export async function listen({ host, port }: Address, open: (port: number) => Answers): Promise<Listening> {
  let answers: Answers | undefined;
  let lane: Lane | undefined;
  const answer: Answers["answer"] = (...received) => answers?.answer(...received);
  // Whoever sends slowly has all the time that the service gives: the limit of requests as a whole is Cloud Run's.
  const server = createServer({ maxHeaderSize: MOST_HEADER_BYTES, keepAliveTimeout: REST, requestTimeout: 0 }, (request, response) =>
    answer(request, response, false),
  );
  const http2 = createHttp2Server({ settings: { initialWindowSize: HTTP2_WINDOWS.stream }, maxSessionMemory: HTTP2_WINDOWS.memory });
  http2.on("stream", (stream, headers) => answers?.answerHttp2(stream, headers));
  http2.on("session", (session: ServerHttp2Session) => session.setLocalWindowSize(HTTP2_WINDOWS.session));
  http2.on("sessionError", () => {});

  const sockets = new Set<Socket>();
  const [speakHttp1] = server.listeners("connection") as [(socket: Socket) => void];
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setNoDelay(true);
    // From the first byte on there are the server's own limits.
    const hangUp = () => socket.destroy();
    socket.setTimeout(REST, hangUp);
    socket.once("data", (first) => {
      socket.setTimeout(0, hangUp);
      if (!first.subarray(0, PREFACE.length).equals(PREFACE)) return lane?.serve(socket, first, handOver);
      socket.pause();
      socket.unshift(first);
      http2.emit("connection", socket);
    });
  });
  const handOver = (socket: Socket, bytes: Buffer): void => {
    if (socket.readableEnded) return refuseMalformed(socket);
    socket.pause();
    socket.unshift(bytes);
    speakHttp1.call(server, socket);
    socket.resume();
  };
  server.on("upgrade", (request, socket: Socket, head) => {
    if (head.length > 0) socket.unshift(head);
    if (request.headers.upgrade?.toLowerCase() === "websocket") {
      const response = new ServerResponse(request);
      response.assignSocket(socket);
      response.shouldKeepAlive = false;
      response.on("finish", () => socket.end());
      return answer(request, response, true);
    }
    // RFC 9110, section 7.8: a wish for another protocol may go unheard. Node has let go of the connection already, and gets it anew without the wish.
    const lines = request.rawHeaders.flatMap((name, index, all) =>
      index % 2 === 0 && !/^(?:connection|upgrade|http2-settings)$/i.test(name) ? [`${name}: ${all[index + 1]}\r\n`] : [],
    );
    socket.unshift(Buffer.from(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1"));
    speakHttp1.call(server, socket);
    socket.resume();
  });
  server.on("connect", (_, socket) => refuse(socket as Socket, "405 Method Not Allowed", "This is no proxy for other hosts."));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    if (error.code === "HPE_HEADER_OVERFLOW")
      return refuse(socket as Socket, "431 Request Header Fields Too Large", `The headers are larger than ${MOST_HEADER_BYTES} bytes.`);
    refuseMalformed(socket as Socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 4096 }, () => {
      server.off("error", reject);
      answers = open((server.address() as AddressInfo).port);
      lane = openProxyLane(answers.door, REST);
      resolve();
    });
  });
  // A machine that runs out of file descriptors takes a connection later.
  server.on("error", () => {});

  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      server.close();
      lane?.stop();
      server.closeIdleConnections();
    },
    destroy() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
    },
  };
}

function refuseMalformed(socket: Socket): void {
  refuse(socket, "400 Bad Request", "The request is not well-formed HTTP.");
}

function refuse(socket: Socket, status: string, text: string): void {
  socket.end(`HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\ncontent-length: ${text.length + 1}\r\nconnection: close\r\n\r\n${text}\n`);
  const hangUp = setTimeout(() => socket.destroy(), LAST_READING);
  socket.once("close", () => clearTimeout(hangUp));
}
