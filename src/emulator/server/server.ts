import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { CertificateAuthority } from "./certificate-authority.ts";
import { ApiError, HttpError, invalidArgument } from "./errors.ts";
import type { FrontDoor } from "../front-door/front-door.ts";
import { isEmulated, isServiceHost, splitHost } from "./hosts.ts";
import { forwardPlain, tunnel, type UpstreamProxy } from "./forward-proxy.ts";
import { keepReading, type HttpResponse } from "./http-response.ts";
import type { Router } from "./router.ts";
import { acceptWebSockets, createSecureServer } from "./tls-server.ts";

/** How long the client of a malformed request has to read the response. */
const MALFORMED_LINGER_MS = 2000;
/** The first bytes of an HTTP/2 connection: RFC 9113, section 3.4. */
const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0");
const MAX_REQUEST_TIMEOUT_MS = 3_600_000;
const MAX_HEADER_BYTES = 64 * 1024;

interface ServerOptions {
  readonly authority: CertificateAuthority;
  readonly router: Router;
  readonly frontDoor: FrontDoor;
  /** The emulator's clock, in milliseconds since the epoch, which dates the responses. */
  readonly now: () => number;
  /** Answers under the emulator's own address. */
  readonly admin: (request: IncomingMessage, url: URL) => Promise<HttpResponse>;
  /** Gets a request to an emulated host first; true if it has answered. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse, host: string) => Promise<boolean>;
  readonly upstream: UpstreamProxy;
  readonly log: (line: string) => void;
}

interface EmulatorServer {
  /** Opens the port, or a free one for 0; resolves to its number. */
  listen(port: number): Promise<number>;
  close(): Promise<void>;
}

/** Creates the emulator's one port on 127.0.0.1: a forward proxy, the emulated hosts, and the emulator's own address, told apart by the request. */
export function createEmulatorServer(options: ServerOptions): EmulatorServer {
  const http1 = { maxHeaderSize: MAX_HEADER_BYTES, requestTimeoutMs: MAX_REQUEST_TIMEOUT_MS };
  const { acceptTls, acceptHttp2 } = createSecureServer({
    authority: options.authority,
    http1,
    answer: (request, response) => void answerEmulated(request, response, splitHost(request.headers.host ?? "").host, options),
    refuse: refuseMalformed,
  });
  const server = createServer(http1, (request, response) => answerPlain(request, response, options));
  server.on("clientError", refuseMalformed);
  acceptWebSockets(server);
  const sockets = new Set<Duplex>();
  const [acceptHttp1] = server.listeners("connection") as [(socket: Socket) => void];
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.once("data", (chunk) => {
      socket.pause();
      socket.unshift(chunk);
      // A client that resolved an emulated host's name to this address speaks TLS at once; a TLS record begins with 22.
      if (chunk[0] === 22) return acceptTls(socket);
      // Unlike Cloud Run: HTTP/2 is accepted without TLS, as HTTP/1.1 is, from clients that use the emulator's address.
      if (chunk.subarray(0, HTTP2_PREFACE.length).equals(HTTP2_PREFACE)) return acceptHttp2(socket);
      acceptHttp1.call(server, socket);
      socket.resume();
    });
  });
  server.on("connect", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A client that resets its connection doesn't concern the emulator.
    socket.on("error", () => socket.destroy());
    const { host, port: target = 443 } = splitHost(request.url ?? "");
    if (host === "" || target > 65_535) return refuseMalformed(new Error("CONNECT names no host and port"), socket);
    if (!isEmulated(host)) return tunnel({ host, port: target }, socket, head, options.upstream);
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    if (head.length > 0) socket.unshift(head);
    // CONNECT can carry plain HTTP too.
    if (target === 80) server.emit("connection", socket);
    else acceptTls(socket);
  });

  return {
    async listen(port) {
      await listenOn(server, port);
      return (server.address() as AddressInfo).port;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function listenOn(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function answerPlain(request: IncomingMessage, response: ServerResponse, options: ServerOptions): void {
  const target = request.url ?? "/";
  if (!target.startsWith("/") && URL.canParse(target)) {
    const url = new URL(target);
    if (!isEmulated(url.hostname)) return forwardPlain(url, request, response, options.upstream);
    request.url = `${url.pathname}${url.search}`;
    if (isServiceHost(url.hostname)) return redirectToHttps(url, response);
    return void answerEmulated(request, response, url.hostname, options);
  }
  const { host } = splitHost(request.headers.host ?? "");
  if (isEmulated(host)) return void answerEmulated(request, response, host, options);
  void answer(request, response, options, async () => {
    // A web page whose own host name resolves to this address must not reach the emulator (DNS rebinding).
    if (host !== "127.0.0.1" && host !== "localhost") {
      throw new ApiError("NOT_FOUND", `The cloudrun-oauth emulator doesn't emulate '${host}'.`);
    }
    if (!URL.canParse(target, "http://127.0.0.1")) throw invalidArgument("The request's target is not well-formed.");
    return options.admin(request, new URL(target, "http://127.0.0.1"));
  });
}

/** Cloud Run's front end redirects plain HTTP. */
function redirectToHttps(url: URL, response: ServerResponse): void {
  response.writeHead(302, { location: `https://${url.host}${url.pathname}${url.search}`, "content-length": 0 }).end();
}

async function answerEmulated(request: IncomingMessage, response: ServerResponse, host: string, options: ServerOptions): Promise<void> {
  if (await options.intercept?.(request, response, host)) return;
  if (isServiceHost(host)) {
    try {
      await options.frontDoor(request, response, host);
    } catch (error) {
      reportBug(request, host, error, options);
      response.destroy();
    }
    return;
  }
  response.setHeader("date", new Date(options.now()).toUTCString());
  await answer(request, response, options, async () => {
    const target = request.url ?? "/";
    const url = URL.canParse(target, `https://${host}`) ? new URL(target, `https://${host}`) : undefined;
    if (!url || !isEmulated(host)) throw invalidArgument("The request's target or Host header is not well-formed.");
    return options.router(request, host, url);
  });
}

/** The one place that writes what a handler returns or throws. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServerOptions,
  handle: () => Promise<HttpResponse>,
): Promise<void> {
  let reply: HttpResponse;
  try {
    reply = await handle();
  } catch (error) {
    if (request.destroyed && !request.complete) return void response.destroy();
    reply = toReply(error, request, options);
  }
  try {
    await send(reply, request, response);
  } catch {
    // The client went away before it had read the response.
    response.destroy();
  }
}

function toReply(error: unknown, request: IncomingMessage, options: ServerOptions): HttpResponse {
  if (error instanceof HttpError) return error.toResponse();
  reportBug(request, request.headers.host ?? "", error, options);
  if ((error as NodeJS.ErrnoException).code === "ENOSPC") {
    return new ApiError("UNAVAILABLE", "The emulator's disk is full. Free up space for its data directory, and try again.").toResponse();
  }
  return new ApiError("INTERNAL", "Internal error encountered.").toResponse();
}

function reportBug(request: IncomingMessage, host: string, error: unknown, { log }: ServerOptions): void {
  const path = (request.url ?? "").split("?")[0];
  log(`${request.method} ${host}${path}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
}

async function send(reply: HttpResponse, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { body } = reply;
  const hasBody = request.method !== "HEAD";
  keepReading(request, response);
  if (typeof body === "string" || Buffer.isBuffer(body)) {
    response.writeHead(reply.status, { "content-length": Buffer.byteLength(body), ...reply.headers });
    response.end(hasBody ? body : undefined);
    return;
  }
  response.writeHead(reply.status, { ...reply.headers });
  if (hasBody) await pipeline(body, response);
  else response.end(() => body.destroy());
}

/** Answers what is not HTTP, and closes the connection later: a client that is still sending would lose the response with it. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET") return void socket.destroy();
  // The rest of a malformed request emits this error again.
  if (!socket.writable) return;
  const [status, text] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? ["431 Request Header Fields Too Large", `The request's headers are larger than ${MAX_HEADER_BYTES} bytes.`]
      : ["400 Bad Request", "The request is not well-formed HTTP."];
  socket.end(`HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\ncontent-length: ${text.length + 1}\r\nconnection: close\r\n\r\n${text}\n`);
  const timer = setTimeout(() => socket.destroy(), MALFORMED_LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}
