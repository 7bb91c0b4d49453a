import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { headerLines } from "../../http/raw-headers.ts";
import { isIdempotent } from "../../http/retry.ts";
import { hasBody, requestHeaders, responseHeaders, type Addresses } from "./headers.ts";
import { failurePage } from "./local-pages.ts";
import type { SuspectResponse } from "./rejections.ts";
import type { RequestContext } from "./request-context.ts";

/** Bytes of a 401 that are held back until it is known whether the token was rejected. */
const MAX_HELD_BYTES = 64 * 1024;

/**
 * Forwards a request in HTTP/1.1 to the service with the token, and streams the response back. With `wantsWebSocket` it connects the caller to the service
 * if that agrees.
 */
export function forwardHttp1(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  context: RequestContext,
  wantsWebSocket = false,
): void {
  const { requestLog, tokens, connections, rejections } = context;
  const { headers, method = "GET" } = request;
  const startedAt = requestLog.begin();
  const addresses = context.addressesFor(headers.host ?? "");
  const tokenHeader = headers.authorization === undefined ? "Authorization" : context.secondTokenHeader;
  const isUpload = hasBody(headers);
  let sent: ClientRequest | undefined;
  let isOver = false;

  const end = (status: number): void => {
    if (isOver) return;
    isOver = true;
    requestLog.end(method, path, status, startedAt);
  };
  response.on("close", () => {
    end(response.headersSent ? response.statusCode : 0);
    // The caller went away.
    if (!response.writableFinished) sent?.destroy();
  });

  const fail = (error: unknown): void => {
    if (isOver || response.writableEnded) return;
    sent?.destroy();
    if (response.headersSent) return void response.destroy();
    const page = failurePage(error, context);
    rejections.report(page.error);
    response.writeHead(page.status, { ...page.headers, "content-length": Buffer.byteLength(page.body) }).end(page.body);
    request.resume();
  };

  const send = (token: string, { isSecondToken = false, isNewConnection = false } = {}): void => {
    if (isOver) return;
    const onward = requestHeaders(request, addresses, { tokenHeader, value: `Bearer ${token}` });
    if (wantsWebSocket) onward.push("Connection", "Upgrade", "Upgrade", "websocket");
    const attempt = connections.request(method, path, onward, isNewConnection);
    sent = attempt;
    let isAnswered = false;
    let bytesReadBefore = 0;
    attempt.on("socket", ({ bytesRead }) => (bytesReadBefore = bytesRead));
    attempt.on("response", (received) => {
      isAnswered = true;
      if (received.statusCode === 401 && !isUpload && !isSecondToken) void reconsider(received, token);
      else relay(received, token);
    });
    if (wantsWebSocket) {
      attempt.on("upgrade", (received, connection, head) => {
        isAnswered = true;
        joinConnections(response, received, { connection, head, addresses });
        end(101);
      });
    }
    attempt.on("error", (error: NodeJS.ErrnoException) => {
      const isReset = error.code === "ECONNRESET" || error.code === "EPIPE";
      // RFC 9112, section 9.3.1: the service closed the idle connection at the moment that it was used again.
      const isStale = isReset && attempt.reusedSocket && attempt.socket?.bytesRead === bytesReadBefore;
      if (isStale && !isUpload && isIdempotent(method) && sent === attempt && !response.headersSent)
        return send(token, { isSecondToken, isNewConnection: true });
      fail(error);
    });
    // This comes without an error after a response that is none, such as an upgrade that no one asked for.
    attempt.on("close", () => {
      if (sent === attempt && !isAnswered) fail(new Error("the connection was closed without a response"));
    });
    if (isUpload) sendBody(request, attempt);
    else attempt.end();
  };

  const suspect = ({ statusCode = 0, headers }: IncomingMessage, token: string): SuspectResponse => ({
    status: statusCode,
    headers,
    path,
    tokenHeader,
    token,
  });

  /** A token that was accepted before is replaced by a new one: keys rotate, and clocks are corrected. */
  const reconsider = async (received: IncomingMessage, token: string): Promise<void> => {
    try {
      const { held, isComplete } = await holdBody(received);
      if (isComplete && rejections.isStaleToken(suspect(received, token), Buffer.concat(held)))
        return send(await tokens.get(), { isSecondToken: true });
      relay(received, token, held, isComplete);
    } catch (error) {
      fail(error);
    }
  };

  const relay = (received: IncomingMessage, token: string, held: readonly Buffer[] = [], isComplete = false): void => {
    if (isOver) return void received.destroy();
    const { statusCode = 502, statusMessage } = received;
    response.sendDate = false;
    try {
      response.writeHead(statusCode, statusMessage, responseHeaders(received, method, addresses));
    } catch (error) {
      return fail(error);
    }
    if (statusCode < 400) tokens.accepted(token);
    const isSuspect = statusCode >= 400 || received.headers["x-goog-iap-generated-response"] !== undefined;
    const observer = isSuspect ? rejections.observe(suspect(received, token)) : undefined;
    let hasBegun = false;
    const write = (chunk: Buffer): void => {
      hasBegun = true;
      observer?.see(chunk);
      if (!response.write(chunk)) received.pause();
    };
    const finish = (): void => {
      hasBegun = true;
      if (received.rawTrailers.length > 0) response.addTrailers(received.trailersDistinct as Record<string, string[]>);
      response.end();
      observer?.end();
    };
    held.forEach(write);
    if (isComplete) return finish();
    received.on("data", write);
    received.on("end", finish);
    response.on("drain", () => received.resume());
    received.on("error", () => {});
    received.on("close", () => received.readableEnded || response.destroy());
    // The head is sent with the first bytes of the body, and alone if those take their time.
    setImmediate(() => hasBegun || isOver || response.flushHeaders());
  };

  try {
    const token = tokens.get();
    if (typeof token === "string") send(token);
    else token.then(send, fail);
  } catch (error) {
    fail(error);
  }
}

function sendBody(request: IncomingMessage, sent: ClientRequest): void {
  request.on("data", (chunk: Buffer) => {
    // After an early response the rest is read and dropped.
    if (!sent.destroyed && !sent.write(chunk)) request.pause();
  });
  sent.on("drain", () => request.resume());
  sent.on("close", () => request.resume());
  request.on("error", () => {});
  request.on("end", () => {
    if (sent.destroyed) return;
    if (request.rawTrailers.length > 0) sent.addTrailers(request.trailers as Record<string, string>);
    sent.end();
  });
}

function holdBody(received: IncomingMessage): Promise<{ readonly held: Buffer[]; readonly isComplete: boolean }> {
  return new Promise((resolve, reject) => {
    const held: Buffer[] = [];
    let sizeBytes = 0;
    const hold = (chunk: Buffer): void => {
      held.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes <= MAX_HELD_BYTES) return;
      received.pause();
      received.off("data", hold);
      resolve({ held, isComplete: false });
    };
    received.on("data", hold);
    received.once("end", () => resolve({ held, isComplete: true }));
    received.once("error", reject);
  });
}

interface Upgraded {
  readonly connection: Duplex;
  readonly head: Buffer;
  readonly addresses: Addresses;
}

/** Connects the caller to the service in another protocol. */
function joinConnections(response: ServerResponse, received: IncomingMessage, { connection, head, addresses }: Upgraded): void {
  const caller = response.socket as Socket;
  response.detachSocket(caller);
  const lines = headerLines([...responseHeaders(received, "GET", addresses), "Connection", "Upgrade", "Upgrade", "websocket"]);
  caller.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`, "latin1");
  if (head.length > 0) connection.unshift(head);
  connection.on("error", () => caller.destroy()).on("close", () => caller.destroy());
  caller.on("error", () => connection.destroy()).on("close", () => connection.destroy());
  (connection as Socket).setTimeout?.(0);
  caller.setTimeout(0);
  caller.pipe(connection).pipe(caller);
}
