import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import type { Lease } from "../run/instances/pool.ts";
import { headerLines, headerValues, type RawHeaders } from "../server/raw-headers.ts";
import { requestTooLarge, responseTooLarge, unavailable, type Page } from "./error-pages.ts";
import { forwardHttp1, type InstanceRequest, type PendingResponse } from "./forward-http1.ts";
import { forwardHttp2 } from "./forward-http2.ts";
import { requestHeaders } from "./request-headers.ts";
import { abortResponse, responseHeaders, writeHead, type CallerResponse, type InstanceResponse } from "./response.ts";
import type { Trace } from "./trace.ts";

interface ForwardOptions {
  readonly instance: Pick<Lease, "port" | "protocol" | "requestTimeoutMs">;
  /** The caller's headers, the checked credential already without its signature. */
  readonly rawHeaders: RawHeaders;
  /** Headers of the response besides the service's own. */
  readonly addedHeaders: RawHeaders;
  readonly trace: Trace;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Size of a body between front end and instance in HTTP/1.1: https://cloud.google.com/run/quotas#request_limits */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/**
 * Streams a request to an instance and the response back to the caller; resolves when that is over, for whatever reason. Returns the error
 * page to answer with if the instance sent no response that could be begun.
 */
export async function forward(request: IncomingMessage, response: CallerResponse, options: ForwardOptions): Promise<Page | undefined> {
  const { instance, addedHeaders, trace, now } = options;
  const isLimited = instance.protocol === "http1";
  if (isLimited && contentLength(request.rawHeaders) > MAX_BODY_BYTES) return discardBody(request, requestTooLarge());

  let errorPage = (): Page => unavailable(503);
  let pending: PendingResponse | undefined;
  let isClosed = false;
  const refuse = (page: () => Page): void => {
    errorPage = page;
    pending?.cancel();
  };
  const timer = setTimeout(refuse, instance.requestTimeoutMs, () => unavailable(504));
  const closed = new Promise<void>((resolve) => {
    response.on("close", () => {
      isClosed = true;
      clearTimeout(timer);
      // The caller has gone away, or has the whole response.
      pending?.cancel();
      resolve();
    });
  });
  try {
    const onward = instanceRequest(request, options);
    pending = isLimited ? forwardHttp1(instance.port, onward) : forwardHttp2(instance.port, onward);
    if (onward.hasBody) {
      if (isLimited) limitBody(request, () => refuse(requestTooLarge));
      request.on("error", () => pending?.cancel());
      request.pipe(pending.requestBody);
    }
    const received = await pending.response;
    if (isLimited && request.method !== "HEAD" && contentLength(received.rawHeaders) > MAX_BODY_BYTES) {
      pending.cancel();
      return discardBody(request, responseTooLarge());
    }
    if (isClosed) return undefined;
    const headers = [...responseHeaders(received.rawHeaders, trace, now()), ...addedHeaders];
    if (received.connection) {
      await joinConnections(response as ServerResponse, received as Required<InstanceResponse>, headers);
      clearTimeout(timer);
      return undefined;
    }
    // Without the service's own reason phrase: HTTP/2, which most callers of Cloud Run speak, has none.
    writeHead(response, received.status, headers, received.isHeadOnly);
    sendBody(received, response);
  } catch {
    clearTimeout(timer);
    pending?.cancel();
    if (!response.headersSent) return isClosed ? undefined : discardBody(request, errorPage());
    abortResponse(response);
  }
  return closed.then(() => undefined);
}

function instanceRequest(request: IncomingMessage, { instance, rawHeaders, trace }: ForwardOptions): InstanceRequest {
  const { method = "GET", url = "/", headers } = request;
  return {
    method,
    path: url,
    headers: requestHeaders(request, rawHeaders, trace),
    hasBody:
      request.httpVersionMajor === 2
        ? !(request as unknown as Http2ServerRequest).stream.endAfterHeaders
        : headers["transfer-encoding"] !== undefined || contentLength(request.rawHeaders) > 0,
    wantsWebSocket: instance.protocol === "http1" && headers.upgrade?.toLowerCase() === "websocket",
  };
}

/** 0 if the headers don't say it. */
function contentLength(rawHeaders: RawHeaders): number {
  return Number(headerValues(rawHeaders, "content-length")[0] ?? 0);
}

/** Counts the bytes of a body that comes without its length. */
function limitBody(request: IncomingMessage, refuse: () => void): void {
  if (request.headers["content-length"] !== undefined) return;
  let sizeBytes = 0;
  request.on("data", (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_BODY_BYTES) refuse();
  });
}

/** Reads and drops the rest of a refused request: its caller reads the page only after it has sent everything. */
function discardBody(request: IncomingMessage, page: Page): Page {
  request.unpipe();
  request.resume();
  return page;
}

function sendBody({ body, trailers }: InstanceResponse, response: CallerResponse): void {
  // The head is sent with the first bytes of the body, and alone if those take their time.
  const flush = setImmediate(() => "stream" in response || response.flushHeaders());
  body.once("data", () => clearImmediate(flush));
  body.on("end", () => {
    clearImmediate(flush);
    const fields = trailers();
    if (Object.keys(fields).length > 0) response.addTrailers(fields);
    response.end();
  });
  // "close" follows.
  body.on("error", () => undefined);
  body.on("close", () => {
    clearImmediate(flush);
    if (!body.readableEnded) abortResponse(response);
  });
  body.pipe(response as Writable, { end: false });
}

/** Connects the caller to the instance in another protocol; resolves when either has closed its connection. */
function joinConnections(response: ServerResponse, { connection }: Required<InstanceResponse>, headers: RawHeaders): Promise<void> {
  const caller = response.socket as Socket;
  response.detachSocket(caller);
  const lines = headerLines([...headers, "Connection", "Upgrade", "Upgrade", "websocket"]);
  caller.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`, "latin1");
  caller.pipe(connection).pipe(caller);
  connection.on("error", () => caller.destroy());
  connection.on("close", () => caller.destroy());
  return new Promise((resolve) => {
    caller.on("close", () => {
      connection.destroy();
      resolve();
    });
  });
}
