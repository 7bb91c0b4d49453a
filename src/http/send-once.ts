import { type Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import { CONNECT_TIMEOUT_MS, TimedOut } from "./network-error.ts";
import type { Request } from "./request.ts";
import type { Route } from "./route.ts";

/** Sends a request once; resolves when the response's headers have arrived. The signals end it and the response's body. */
export function sendOnce(request: Request, route: Route, agent: Agent, signals: readonly AbortSignal[]): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = (route.isSecure ? httpsRequest : httpRequest)({ ...route.target, method: request.method, agent, setHost: false });
    // A request without a connection emits nothing when it is destroyed.
    const fail = (error: unknown) => {
      reject(error);
      outgoing.destroy(error as Error);
    };
    const abort = () => fail(signals.find(({ aborted }) => aborted)?.reason);
    const failAfter = (timeoutMs: number) => setTimeout(() => fail(new TimedOut(timeoutMs)), timeoutMs);
    const connectTimer = failAfter(CONNECT_TIMEOUT_MS);
    const responseTimer = request.timeoutMs === undefined ? undefined : failAfter(request.timeoutMs);
    const stopTimers = () => [connectTimer, responseTimer].forEach(clearTimeout);

    for (const signal of signals) signal.addEventListener("abort", abort);
    outgoing.once("socket", (socket) => {
      const connected = () => clearTimeout(connectTimer);
      if (outgoing.reusedSocket || isConnected(socket, route)) connected();
      else socket.once(route.isSecure ? "secureConnect" : "connect", connected);
    });
    outgoing.once("response", (response) => {
      stopTimers();
      resolve(response);
    });
    outgoing.on("error", reject);
    outgoing.once("close", () => {
      stopTimers();
      for (const signal of signals) signal.removeEventListener("abort", abort);
      // A 101 closes the connection without a response and without an error.
      reject(new Error("the connection was closed without a response"));
    });

    setHeaders(outgoing, request, route);
    if (request.body instanceof Readable) {
      request.body.once("error", fail);
      request.body.pipe(outgoing);
    } else {
      outgoing.end(request.body);
    }
  });
}

/** True for a connection that was opened ahead of time and is ready. */
function isConnected(socket: Socket, { isSecure }: Route): boolean {
  const { authorized, authorizationError } = socket as TLSSocket;
  return isSecure ? authorized || Boolean(authorizationError) : !socket.connecting;
}

function setHeaders(outgoing: ClientRequest, { headers = [], body, url }: Request, route: Route): void {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  if (!names.has("host")) outgoing.setHeader("Host", new URL(url).host);
  if (route.authorization) outgoing.setHeader("Proxy-Authorization", route.authorization);
  // Node writes each character of a header as one byte, so each byte of UTF-8 becomes a character.
  for (const [name, value] of headers) outgoing.appendHeader(name, Buffer.from(value, "utf8").toString("latin1"));
  if (body !== undefined && !(body instanceof Readable)) outgoing.setHeader("Content-Length", Buffer.byteLength(body));
}
