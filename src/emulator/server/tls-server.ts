import { createServer as createHttp1Server, ServerResponse, type RequestListener, type Server, type ServerOptions } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { Lane } from "../../http/wire/lane.ts";
import type { CertificateAuthority } from "./certificate-authority.ts";
import { isEmulated } from "./hosts.ts";

interface SecureOptions {
  readonly authority: CertificateAuthority;
  readonly http1: ServerOptions;
  /** Takes connections in HTTP/1.1 first. */
  readonly lane: Pick<Lane, "serve">;
  /** A request in either protocol; what came by HTTP/2 has a Host header too, and comes by Node's compatibility API. */
  readonly answer: RequestListener;
  /** Takes connections that carry what is no HTTP. */
  readonly refuse: (error: Error, socket: Duplex) => void;
}

/** Milliseconds until a connection that says nothing is closed, as long as Node waits for a head. */
const SILENCE = 60_000;
/** Cloud Run takes no more from one connection: https://cloud.google.com/run/quotas */
const MOST_STREAMS = 100;

/**
 * Speaks TLS, and HTTP/2 or HTTP/1.1 in it as the client likes, on connections to the emulated hosts; and HTTP/2 without TLS, with whom begins with it.
 */
export function createSecureServer({ authority, http1, lane, answer, refuse }: SecureOptions) {
  // Each is made for the first connection that needs it: a start would wait for what loads with them.
  const one = once(() => {
    const server = createHttp1Server(http1, answer);
    server.on("clientError", refuse);
    acceptWebSockets(server);
    return server;
  });
  const two = once(() =>
    createHttp2Server({ settings: { maxConcurrentStreams: MOST_STREAMS } }, (request, response) => {
      // RFC 9113, section 8.3.1: what is Host in HTTP/1.1 is `:authority` here.
      request.headers.host ??= request.authority;
      answer(...([request, response] as unknown as Parameters<RequestListener>));
    }),
  );
  const secure = once(() =>
    createTlsServer(
      {
        ALPNProtocols: ["h2", "http/1.1"],
        SNICallback: (host, done) => {
          if (!isEmulated(host)) return done(new Error(`The emulator has no certificate for ${host}`));
          done(null, authority.contextFor(host));
        },
      },
      (socket) => (socket.alpnProtocol === "h2" ? two().emit("connection", socket) : speakHttp1(socket)),
    ),
  );
  const speakHttp1 = (socket: TLSSocket): void => {
    const hangUp = () => void socket.destroy();
    socket.on("error", hangUp);
    socket.setTimeout(SILENCE, hangUp);
    socket.once("data", (first) => {
      socket.setTimeout(0, hangUp);
      lane.serve(socket, first, handOver);
    });
  };
  const handOver = (socket: Socket, bytes: Buffer): void => {
    if (socket.readableEnded) return refuse(new Error("The request has no end"), socket);
    socket.pause();
    socket.unshift(bytes);
    one().emit("connection", socket);
    socket.resume();
  };
  return {
    secure: (connection: Duplex) => void secure().emit("connection", connection),
    http2: (connection: Duplex) => void two().emit("connection", connection),
  };
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/**
 * Has a server take requests for a WebSocket as it takes others; whoever answers them may take over the connection.
 * Any other protocol that a client would change to is not heard of (RFC 9110, section 7.8).
 */
export function acceptWebSockets(server: Server): void {
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    if (head.length > 0) socket.unshift(head);
    if (request.headers.upgrade?.toLowerCase() === "websocket") {
      const response = new ServerResponse(request);
      response.assignSocket(socket as Socket);
      response.shouldKeepAlive = false;
      response.on("finish", () => socket.end());
      server.emit("request", request, response);
      return;
    }
    // Node has let go of the connection already: it gets it anew, with the same request and without the wish.
    const { rawHeaders } = request;
    const lines = rawHeaders.flatMap((name, index) =>
      index % 2 === 0 && !/^(connection|upgrade|http2-settings)$/i.test(name) ? [`${name}: ${rawHeaders[index + 1]}\r\n`] : [],
    );
    socket.unshift(Buffer.from(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1"));
    server.emit("connection", socket);
  });
}
