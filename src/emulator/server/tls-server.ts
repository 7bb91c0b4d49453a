import { createServer as createHttp1Server, ServerResponse, type RequestListener, type Server, type ServerOptions } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import type { CertificateAuthority } from "./certificate-authority.ts";
import { isEmulated } from "./hosts.ts";
import { headerLines, withoutHeaders } from "./raw-headers.ts";

interface SecureOptions {
  readonly authority: CertificateAuthority;
  readonly http1: ServerOptions;
  /** Takes a request in either protocol; one in HTTP/2 has a Host header too, and Node's compatibility API. */
  readonly answer: RequestListener;
  /** Takes connections whose request is not HTTP. */
  readonly refuse: (error: Error, socket: Duplex) => void;
}

/** Cloud Run accepts no more streams on one connection: https://cloud.google.com/run/quotas */
const MAX_STREAMS = 100;

/** Speaks TLS, and in it HTTP/2 or HTTP/1.1, on connections to the emulated hosts; and HTTP/2 without TLS. */
export function createSecureServer({ authority, http1, answer, refuse }: SecureOptions) {
  // Created for the first connection that needs them: they would slow the emulator's start down.
  const http1Server = once(() => {
    const server = createHttp1Server(http1, answer);
    server.on("clientError", refuse);
    acceptWebSockets(server);
    return server;
  });
  const http2Server = once(() =>
    createHttp2Server({ settings: { maxConcurrentStreams: MAX_STREAMS } }, (request, response) => {
      // RFC 9113, section 8.3.1: `:authority` replaces the Host header.
      request.headers.host ??= request.authority;
      answer(...([request, response] as unknown as Parameters<RequestListener>));
    }),
  );
  const tlsServer = once(() =>
    createTlsServer(
      {
        ALPNProtocols: ["h2", "http/1.1"],
        SNICallback: (host, done) => {
          if (!isEmulated(host)) return done(new Error(`The emulator has no certificate for ${host}`));
          done(null, authority.contextFor(host));
        },
      },
      (socket) => (socket.alpnProtocol === "h2" ? http2Server() : http1Server()).emit("connection", socket),
    ),
  );
  return {
    acceptTls: (connection: Duplex) => void tlsServer().emit("connection", connection),
    acceptHttp2: (connection: Duplex) => void http2Server().emit("connection", connection),
  };
}

function once<T>(create: () => T): () => T {
  let created: T | undefined;
  return () => (created ??= create());
}

/**
 * Lets a server take WebSocket requests like any others; their response can take over the connection. A request to upgrade to another
 * protocol is handled without the upgrade (RFC 9110, section 7.8).
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
    // Node has detached the connection already: it reads the request again, without the upgrade.
    const lines = headerLines(withoutHeaders(request.rawHeaders, /^(?:connection|upgrade|http2-settings)$/i));
    socket.unshift(Buffer.from(`${request.method} ${request.url} HTTP/1.1\r\n${lines}\r\n`, "latin1"));
    server.emit("connection", socket);
  });
}
