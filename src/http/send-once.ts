import { type Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Request } from "./client.ts";
import { CONNECT_TIMEOUT, TimedOut } from "./network-error.ts";
import type { Way } from "./route.ts";

/** Sends a request once; resolves when the answer's headers are there. The signals end it, and the answer's body, until that has ended. */
export function exchange(request: Request, way: Way, agent: Agent, signals: readonly AbortSignal[]): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = (way.secure ? httpsRequest : httpRequest)({ ...way.to, method: request.method, agent, setHost: false });
    // A request that has no connection yet says nothing when it is destroyed: the promise is settled beside it.
    const stop = (error: unknown) => {
      reject(error);
      outgoing.destroy(error as Error);
    };
    const abort = () => stop(signals.find(({ aborted }) => aborted)?.reason);
    const limit = (milliseconds: number) => setTimeout(() => stop(new TimedOut(milliseconds)), milliseconds);
    const connecting = limit(CONNECT_TIMEOUT);
    const answering = request.timeout === undefined ? undefined : limit(request.timeout);
    const settled = () => [connecting, answering].forEach(clearTimeout);

    for (const signal of signals) signal.addEventListener("abort", abort);
    outgoing.once("socket", (socket) => {
      const connected = () => clearTimeout(connecting);
      if (outgoing.reusedSocket || isConnected(socket, way)) connected();
      else socket.once(way.secure ? "secureConnect" : "connect", connected);
    });
    outgoing.once("response", (answer) => {
      settled();
      resolve(answer);
    });
    outgoing.on("error", reject);
    outgoing.once("close", () => {
      settled();
      for (const signal of signals) signal.removeEventListener("abort", abort);
      // An answer of 101 closes the connection without a response and without an error.
      reject(new Error("the connection was closed without an answer"));
    });

    setHeaders(outgoing, request, way);
    if (request.body instanceof Readable) {
      request.body.once("error", stop);
      request.body.pipe(outgoing);
    } else {
      outgoing.end(request.body);
    }
  });
}

/** True for a connection that was opened early, and is ready. */
function isConnected(socket: Socket, { secure }: Way): boolean {
  const { authorized, authorizationError } = socket as TLSSocket;
  return secure ? authorized || Boolean(authorizationError) : !socket.connecting;
}

function setHeaders(outgoing: ClientRequest, { headers = [], body, url }: Request, way: Way): void {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  if (!names.has("host")) outgoing.setHeader("Host", new URL(url).host);
  if (way.authorization) outgoing.setHeader("Proxy-Authorization", way.authorization);
  // Node writes a header's characters as single bytes, so UTF-8 has to be spelled out in them.
  for (const [name, value] of headers) outgoing.appendHeader(name, Buffer.from(value, "utf8").toString("latin1"));
  if (body !== undefined && !(body instanceof Readable)) outgoing.setHeader("Content-Length", Buffer.byteLength(body));
}
