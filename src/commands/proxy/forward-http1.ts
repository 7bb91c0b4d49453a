import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { failurePage, type Door } from "./local-responses.ts";
import { answeredHeaders, sentHeaders, type Addresses } from "./headers.ts";
import type { Suspect } from "./rejections.ts";

/** RFC 9110, section 9.2.2: what may be sent again when a resting connection turns out to be closed. */
const REPEATABLE = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);
/** RFC 9110, section 8.6: methods that a request without a body does not say `Content-Length: 0` with. */
const BODILESS = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "DELETE"]);
/** Bytes of an answer that are kept back until it is known whose it is. */
const MOST_KEPT = 64 * 1024;

/**
 * Passes a request in HTTP/1.1 on to the service with the token, and the answer back as it comes. With `wantsWebSocket` the connection changes
 * hands where the service agrees.
 */
export function passOnHttp1(request: IncomingMessage, response: ServerResponse, path: string, door: Door, wantsWebSocket = false): void {
  const { journal, tokens, upstream, refusals } = door;
  const { headers, method = "GET" } = request;
  const begun = journal.begin();
  const addresses = door.addressesFor(headers.host ?? "");
  const hasBody = headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
  const carrier = headers.authorization === undefined ? "Authorization" : door.secondCarrier;
  let asked: ClientRequest | undefined;
  let isOver = false;

  const over = (status: number): void => {
    if (isOver) return;
    isOver = true;
    journal.end(method, path, status, begun);
  };
  response.on("close", () => {
    over(response.headersSent ? response.statusCode : 0);
    // A caller that went away has no more use for the answer.
    if (!response.writableFinished) asked?.destroy();
  });

  const fail = (error: unknown): void => {
    if (isOver || response.writableEnded) return;
    asked?.destroy();
    if (response.headersSent) return void response.destroy();
    const page = failurePage(error, door);
    refusals.tell(page.error);
    response.writeHead(page.status, { ...page.headers, "content-length": Buffer.byteLength(page.body) }).end(page.body);
    request.resume();
  };

  const send = (token: string, isSecond = false): void => {
    if (isOver) return;
    const onward = sentHeaders(request.rawHeaders, headers, addresses, { carrier, value: `Bearer ${token}` });
    if (wantsWebSocket) onward.push("Connection", "Upgrade", "Upgrade", "websocket");
    if (hasBody && headers["content-length"] === undefined) onward.push("Transfer-Encoding", "chunked");
    else if (headers["content-length"] === undefined && !BODILESS.has(method)) onward.push("Content-Length", "0");
    const sent = upstream.request(method, path, onward);
    asked = sent;
    let isAnswered = false;
    sent.on("response", (answer) => {
      isAnswered = true;
      if (answer.statusCode === 401 && !hasBody && !isSecond) void reconsider(answer, token);
      else relay(answer, token);
    });
    if (wantsWebSocket) {
      sent.on("upgrade", (answer, connection, head) => {
        isAnswered = true;
        join(response, answer, { connection, head, addresses });
        over(101);
      });
    }
    sent.on("error", (error: NodeJS.ErrnoException) => {
      // RFC 9112, section 9.3.1: a resting connection was closed in the moment that it was used again.
      const isUnlucky = sent.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE") && !response.headersSent;
      if (isUnlucky && !hasBody && REPEATABLE.has(method) && asked === sent) send(token, isSecond);
      else fail(error);
    });
    // An answer that is none, as the change to a protocol that nobody asked for, closes the connection without an error.
    sent.on("close", () => {
      if (asked === sent && !isAnswered) fail(new Error("it gave no answer"));
    });
    if (hasBody) pump(request, sent);
    else sent.end();
  };

  const suspectOf = ({ statusCode = 0, headers }: IncomingMessage, token: string): Suspect => ({
    status: statusCode,
    headers,
    path,
    carrier,
    token,
  });

  /** A token that was good once is tried anew: keys are changed, and clocks are set. */
  const reconsider = async (answer: IncomingMessage, token: string): Promise<void> => {
    try {
      const { kept, isWhole } = await readSome(answer);
      if (isWhole && refusals.isStale(suspectOf(answer, token), Buffer.concat(kept))) return send(await tokens.get(), true);
      relay(answer, token, kept, isWhole);
    } catch (error) {
      fail(error);
    }
  };

  const relay = (answer: IncomingMessage, token: string, kept: readonly Buffer[] = [], isWhole = false): void => {
    if (isOver) return void answer.destroy();
    const { statusCode = 502, statusMessage, rawHeaders } = answer;
    response.sendDate = false;
    try {
      response.writeHead(statusCode, statusMessage, answeredHeaders(rawHeaders, answer.headers.connection, addresses));
    } catch (error) {
      return fail(error);
    }
    if (statusCode < 400) tokens.accepted(token);
    const isSuspect = statusCode >= 400 || answer.headers["x-goog-iap-generated-response"] !== undefined;
    const witness = isSuspect ? refusals.watch(suspectOf(answer, token)) : undefined;
    let hasBegun = false;
    const pass = (chunk: Buffer): void => {
      hasBegun = true;
      witness?.see(chunk);
      if (!response.write(chunk)) answer.pause();
    };
    const finish = (): void => {
      hasBegun = true;
      if (answer.rawTrailers.length > 0) response.addTrailers(answer.trailersDistinct as Record<string, string[]>);
      response.end();
      witness?.end();
    };
    kept.forEach(pass);
    if (isWhole) return finish();
    answer.on("data", pass);
    answer.on("end", finish);
    response.on("drain", () => answer.resume());
    answer.on("error", () => {});
    answer.on("close", () => answer.readableEnded || response.destroy());
    // The head mostly goes with the first bytes of the body; where those take their time, it does not wait for them.
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

function pump(request: IncomingMessage, sent: ClientRequest): void {
  request.on("data", (chunk: Buffer) => {
    // Who was answered before all was sent may send the rest, and it goes nowhere.
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

function readSome(answer: IncomingMessage): Promise<{ readonly kept: Buffer[]; readonly isWhole: boolean }> {
  return new Promise((resolve, reject) => {
    const kept: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer): void => {
      kept.push(chunk);
      size += chunk.length;
      if (size <= MOST_KEPT) return;
      answer.pause();
      answer.off("data", take);
      resolve({ kept, isWhole: false });
    };
    answer.on("data", take);
    answer.once("end", () => resolve({ kept, isWhole: true }));
    answer.once("error", reject);
  });
}

interface Joined {
  readonly connection: Duplex;
  readonly head: Buffer;
  readonly addresses: Addresses;
}

/** Hands the caller's connection to the service. */
function join(response: ServerResponse, { rawHeaders }: IncomingMessage, { connection, head, addresses }: Joined): void {
  const caller = response.socket as Socket;
  response.detachSocket(caller);
  const headers = [...answeredHeaders(rawHeaders, "upgrade", addresses), "Connection", "Upgrade", "Upgrade", "websocket"];
  const lines = headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1]}\r\n`] : []));
  caller.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`, "latin1");
  if (head.length > 0) connection.unshift(head);
  connection.on("error", () => caller.destroy()).on("close", () => caller.destroy());
  caller.on("error", () => connection.destroy()).on("close", () => connection.destroy());
  (connection as Socket).setTimeout?.(0);
  caller.setTimeout(0);
  caller.pipe(connection).pipe(caller);
}
