import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import { breakOff, responseHeaders, writeHead, type Answer, type Response } from "./response.ts";
import { askHttp1, type Asked, type Onward } from "./forward-http1.ts";
import { askHttp2 } from "./forward-http2.ts";
import { requestTooLarge, responseTooLarge, unavailable, type Page } from "./error-pages.ts";
import type { PassOnOptions } from "./passage.ts";
import { requestHeaders } from "./request-headers.ts";

/** Bytes of a body that goes by HTTP/1.1 between front end and instance: https://cloud.google.com/run/quotas#request_limits */
export const MOST_BODY_BYTES = 32 * 1024 * 1024;

/** Passes on a call that came by node:http or node:http2, as `Passage` has it. */
export async function passOn(
  request: IncomingMessage,
  response: Response,
  options: PassOnOptions,
  now: () => number,
): Promise<Page | undefined> {
  const { instance, added, trace } = options;
  const isLimited = instance.protocol === "http1";
  if (isLimited && lengthOf(request.headers) > MOST_BODY_BYTES) return drain(request, requestTooLarge());

  let refuseWith = (): Page => unavailable(503);
  let asked: Asked | undefined;
  let isOver = false;
  const refuse = (page: () => Page): void => {
    refuseWith = page;
    asked?.cancel();
  };
  const timer = setTimeout(refuse, instance.requestTimeout, () => unavailable(504));
  const over = new Promise<void>((resolve) => {
    response.on("close", () => {
      isOver = true;
      clearTimeout(timer);
      // A caller that went away has no more use for the answer.
      asked?.cancel();
      resolve();
    });
  });
  try {
    const onward = onwardOf(request, options);
    asked = isLimited ? askHttp1(instance.port, onward) : askHttp2(instance.port, onward);
    if (onward.hasBody) {
      if (isLimited) limit(request, () => refuse(requestTooLarge));
      request.on("error", () => asked?.cancel());
      request.pipe(asked.body);
    }
    const answer = await asked.answer;
    if (isLimited && request.method !== "HEAD" && lengthOfRaw(answer.rawHeaders) > MOST_BODY_BYTES) {
      asked.cancel();
      return drain(request, responseTooLarge());
    }
    if (isOver) return undefined;
    const headers = [...responseHeaders(answer.rawHeaders, trace, now()), ...added];
    if (answer.connection) {
      await join(response as ServerResponse, answer as Required<Answer>, headers);
      clearTimeout(timer);
      return undefined;
    }
    // The service's own reason phrase stays here: HTTP/2, which callers of Cloud Run mostly speak, has none.
    writeHead(response, answer.status, headers, answer.isHeadOnly);
    sendBody(answer, response);
  } catch {
    clearTimeout(timer);
    asked?.cancel();
    if (!response.headersSent) return isOver ? undefined : drain(request, refuseWith());
    breakOff(response);
  }
  return over.then(() => undefined);
}

function onwardOf(request: IncomingMessage, { instance, rawHeaders, trace }: PassOnOptions): Onward {
  const { method = "GET", url = "/", headers } = request;
  return {
    method,
    path: url,
    headers: requestHeaders(request, rawHeaders, trace),
    hasBody:
      request.httpVersionMajor === 2
        ? !(request as unknown as Http2ServerRequest).stream.endAfterHeaders
        : headers["transfer-encoding"] !== undefined || lengthOf(headers) > 0,
    wantsWebSocket: instance.protocol === "http1" && headers.upgrade?.toLowerCase() === "websocket",
  };
}

function lengthOf(headers: IncomingMessage["headers"]): number {
  return Number(headers["content-length"] ?? 0);
}

/** What headers say of the length of a body; 0 where they do not. */
export function lengthOfRaw(rawHeaders: readonly string[]): number {
  const index = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === "content-length");
  return index < 0 ? 0 : Number(rawHeaders[index + 1]);
}

/** Counts the bytes of a body that comes without its length. */
function limit(request: IncomingMessage, refuse: () => void): void {
  if (request.headers["content-length"] !== undefined) return;
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > MOST_BODY_BYTES) refuse();
  });
}

/** What is left of a refused request goes nowhere, so that its caller comes to read the page. */
function drain(request: IncomingMessage, page: Page): Page {
  request.unpipe();
  request.resume();
  return page;
}

function sendBody({ body, trailers }: Answer, response: Response): void {
  // The head mostly goes with the first bytes of the body; where those take their time, it does not wait for them.
  const flush = setImmediate(() => "stream" in response || response.flushHeaders());
  body.once("data", () => clearImmediate(flush));
  body.on("end", () => {
    clearImmediate(flush);
    const fields = trailers();
    if (Object.keys(fields).length > 0) response.addTrailers(fields);
    response.end();
  });
  // Its close follows.
  body.on("error", () => undefined);
  body.on("close", () => {
    clearImmediate(flush);
    if (!body.readableEnded) breakOff(response);
  });
  body.pipe(response as Writable, { end: false });
}

/** Hands the caller's connection to the instance; resolves when either has closed it. */
function join(response: ServerResponse, { connection }: Required<Answer>, answered: readonly string[]): Promise<void> {
  const caller = response.socket as Socket;
  response.detachSocket(caller);
  const headers = [...answered, "Connection", "Upgrade", "Upgrade", "websocket"];
  const lines = headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1]}\r\n`] : []));
  caller.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`, "latin1");
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
