import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MOST_HEADER_BYTES } from "../../http/wire/fields.ts";
import type { CertificateAuthority } from "./certificate-authority.ts";
import { ApiError, HttpError } from "./errors.ts";
import { passageByNode } from "../front-door/by-node.ts";
import type { FrontDoor } from "../front-door/front-door.ts";
import { openServiceLane } from "../front-door/lane/open-lane.ts";
import { isEmulated, isServiceHost, splitHost } from "./hosts.ts";
import { forward, tunnel, type UpstreamProxy } from "./forward-proxy.ts";
import { keepReading, type HttpResponse } from "./http-response.ts";
import type { Router } from "./router.ts";
import { acceptWebSockets, createSecureServer } from "./tls-server.ts";

/** Milliseconds in which a client that sent what is malformed may read why. */
const LAST_READING = 2000;
/** What a connection in HTTP/2 begins with: RFC 9113, section 3.4. */
const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0");
/** The longest request timeout that a Cloud Run service may have. */
const LONGEST_REQUEST = 3_600_000;

interface ServerOptions {
  readonly authority: CertificateAuthority;
  /** Answers the Google APIs. */
  readonly router: Router;
  /** Answers calls to services. */
  readonly frontDoor: FrontDoor;
  /** The emulator's clock, in milliseconds since the epoch: answers are dated by it. */
  readonly now: () => number;
  /** Answers under the emulator's own address. */
  readonly admin: (request: IncomingMessage, url: URL) => Promise<HttpResponse>;
  /** Sees a request to an emulated host first; true where nothing is left to answer. */
  readonly meet?: (request: IncomingMessage, response: ServerResponse, host: string) => Promise<boolean>;
  /** False while `meet` would do nothing to any request. */
  readonly isMet?: () => boolean;
  readonly upstream: UpstreamProxy;
  readonly log: (line: string) => void;
}

interface Door {
  /** Opens the port, where 0 stands for one that is free; resolves to its number. */
  listen(port: number): Promise<number>;
  close(): Promise<void>;
}

/** Makes the emulator's one port on 127.0.0.1: a forward proxy, the emulated hosts, and the emulator's own address, told apart by the request. */
export function createDoor(options: ServerOptions): Door {
  const http1 = { maxHeaderSize: MOST_HEADER_BYTES, requestTimeout: LONGEST_REQUEST };
  const lane = openServiceLane({
    frontDoor: options.frontDoor,
    now: options.now,
    isOpen: () => options.meet === undefined || options.isMet?.() === false,
    report: (line) => options.log(line),
  });
  const { secure, http2 } = createSecureServer({
    authority: options.authority,
    http1,
    lane,
    answer: (request, response) => void answerEmulated(request, response, splitHost(request.headers.host ?? "").host, options),
    refuse: refuseMalformed,
  });
  const server = createServer(http1, (request, response) => answerPlain(request, response, options));
  server.on("clientError", refuseMalformed);
  acceptWebSockets(server);
  const sockets = new Set<Duplex>();
  const [speakHttp] = server.listeners("connection") as [(socket: Socket) => void];
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.once("data", (chunk) => {
      // A client that was led here under an emulated host's name speaks TLS at once; a TLS record begins with 22.
      const isSecure = chunk[0] === 22;
      // Unlike Cloud Run: HTTP/2 is taken without TLS too, as HTTP/1.1 is, from clients that were led here by the emulator's address.
      const isHttp2 = chunk.subarray(0, HTTP2_PREFACE.length).equals(HTTP2_PREFACE);
      if (!isSecure && !isHttp2) return lane.serve(socket, chunk, handOver);
      socket.pause();
      socket.unshift(chunk);
      if (isSecure) secure(socket);
      else http2(socket);
    });
  });
  const handOver = (socket: Socket, bytes: Buffer): void => {
    if (socket.readableEnded) return refuseMalformed(new Error("The request has no end"), socket);
    socket.pause();
    socket.unshift(bytes);
    speakHttp.call(server, socket);
    socket.resume();
  };
  server.on("connect", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A client that resets its connection is no concern of the emulator.
    socket.on("error", () => socket.destroy());
    const { host, port: target = 443 } = splitHost(request.url ?? "");
    if (host === "" || target > 65_535) return refuseMalformed(new Error("CONNECT names no host and port"), socket);
    if (!isEmulated(host)) return tunnel({ host, port: target }, socket, head, options.upstream);
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    if (head.length > 0) socket.unshift(head);
    // Plain HTTP may travel through CONNECT too.
    if (target === 80) server.emit("connection", socket);
    else secure(socket);
  });

  return {
    async listen(port) {
      await start(server, port);
      return (server.address() as AddressInfo).port;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      lane.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function start(server: Server, port: number): Promise<void> {
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
    if (!isEmulated(url.hostname)) return forward(url, request, response, options.upstream);
    request.url = `${url.pathname}${url.search}`;
    if (isServiceHost(url.hostname)) return redirectToHttps(url, response);
    return void answerEmulated(request, response, url.hostname, options);
  }
  const { host } = splitHost(request.headers.host ?? "");
  if (isEmulated(host)) return void answerEmulated(request, response, host, options);
  void answer(request, response, options, async () => {
    // A page that points its own name at this address must not reach the emulator by it.
    if (host !== "127.0.0.1" && host !== "localhost") {
      throw new ApiError("NOT_FOUND", `This is the cloudrun-oauth emulator. It does not emulate '${host}'.`);
    }
    if (!URL.canParse(target, "http://127.0.0.1")) throw new ApiError("INVALID_ARGUMENT", "The request's target is not well-formed.");
    return options.admin(request, new URL(target, "http://127.0.0.1"));
  });
}

/** What Cloud Run's front end does with plain HTTP. */
function redirectToHttps(url: URL, response: ServerResponse): void {
  response.writeHead(302, { location: `https://${url.host}${url.pathname}${url.search}`, "content-length": 0 }).end();
}

async function answerEmulated(request: IncomingMessage, response: ServerResponse, host: string, options: ServerOptions): Promise<void> {
  if (await options.meet?.(request, response, host)) return;
  if (isServiceHost(host)) {
    try {
      await options.frontDoor(passageByNode(request, response, options.now), host);
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
    if (!url || !isEmulated(host)) throw new ApiError("INVALID_ARGUMENT", "The request's target or Host header is not well-formed.");
    return options.router(request, host, url);
  });
}

/** The one place where what a handler returns or throws becomes bytes. */
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
    // The client went away before it had read the answer.
    response.destroy();
  }
}

function toReply(error: unknown, request: IncomingMessage, options: ServerOptions): HttpResponse {
  if (error instanceof HttpError) return error.toResponse();
  reportBug(request, request.headers.host ?? "", error, options);
  if ((error as NodeJS.ErrnoException).code === "ENOSPC") {
    return new ApiError(
      "UNAVAILABLE",
      "The emulator's disk is full: free some space where its data directory is, then try again.",
    ).toResponse();
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

/** Answers what is no HTTP, and hangs up a moment later: a client that is still sending would lose the answer with its connection. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET") return void socket.destroy();
  // The rest of what is malformed comes here as well.
  if (!socket.writable) return;
  const [status, text] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? ["431 Request Header Fields Too Large", `The request's headers are larger than ${MOST_HEADER_BYTES} bytes.`]
      : ["400 Bad Request", "The request is not well-formed HTTP."];
  socket.end(`HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\ncontent-length: ${text.length + 1}\r\nconnection: close\r\n\r\n${text}\n`);
  const hangUp = setTimeout(() => socket.destroy(), LAST_READING);
  socket.once("close", () => clearTimeout(hangUp));
}
