import { Agent, request as httpRequest, type ClientRequest } from "node:http";
import type { Duplex, Writable } from "node:stream";
import { headerIndexes, type RawHeaders } from "../server/raw-headers.ts";
import type { InstanceResponse } from "./response.ts";

export interface InstanceRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: RawHeaders;
  readonly hasBody: boolean;
  /** True if the caller asks for an upgrade to WebSocket. */
  readonly wantsWebSocket: boolean;
}

export interface PendingResponse {
  readonly requestBody: Writable;
  /** Rejects if the instance sends no response. */
  readonly response: Promise<InstanceResponse>;
  /** Ends the request, which is not sent again. */
  cancel(): void;
}

/** Milliseconds that a connection stays open between requests: fewer than Node's servers keep theirs. */
const KEEP_ALIVE_MS = 4000;
const reusing = new Agent({ keepAlive: true, timeout: KEEP_ALIVE_MS });
const connectingAnew = new Agent();

/** RFC 9110, section 9.2.2. */
const IDEMPOTENT_METHODS = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** Sends a request in HTTP/1.1 to the instance at a loopback port. */
export function forwardHttp1(port: number, { method, path, hasBody, wantsWebSocket, ...request }: InstanceRequest): PendingResponse {
  const headers = [...request.headers];
  if (wantsWebSocket) headers.push("Connection", "Upgrade", "Upgrade", "websocket");
  if (hasBody && headerIndexes(headers, "content-length").length === 0) headers.push("Transfer-Encoding", "chunked");
  const canRepeat = !hasBody && IDEMPOTENT_METHODS.has(method);
  const send = (agent: Agent): ClientRequest =>
    httpRequest({ host: "127.0.0.1", port, method, path, headers: headers as unknown as Record<string, string>, setHost: false, agent });

  let sent = send(reusing);
  let upgraded: Duplex | undefined;
  let isCancelled = false;
  const response = new Promise<InstanceResponse>((resolve, reject) => {
    const listen = (attempt: ClientRequest): void => {
      let bytesReadBefore = 0;
      attempt.on("socket", ({ bytesRead }) => (bytesReadBefore = bytesRead));
      attempt.on("response", (message) => {
        const { statusCode = 0, rawHeaders } = message;
        if (statusCode < 200) return void attempt.destroy();
        const trailers = () => message.trailersDistinct as Record<string, string[]>;
        resolve({ status: statusCode, rawHeaders, body: message, isHeadOnly: false, trailers });
      });
      if (wantsWebSocket) {
        attempt.on("upgrade", ({ statusCode = 0, rawHeaders }, connection, head) => {
          upgraded = connection;
          if (head.length > 0) connection.unshift(head);
          resolve({ status: statusCode, rawHeaders, body: connection, isHeadOnly: false, trailers: () => ({}), connection });
        });
      }
      attempt.on("error", ({ code }: NodeJS.ErrnoException) => {
        const isReset = code === "ECONNRESET" || code === "EPIPE";
        // RFC 9112, section 9.3.1: the instance closed the idle connection at the moment that it was used again.
        const isStale = isReset && attempt.reusedSocket && attempt.socket?.bytesRead === bytesReadBefore;
        if (!isStale || !canRepeat || isCancelled) return;
        sent = send(connectingAnew);
        listen(sent);
        sent.end();
      });
      // This comes without an error after a status that HTTP doesn't have, or an upgrade that no one asked for.
      attempt.on("close", () => attempt === sent && reject(new Error("The instance sent no response")));
    };
    listen(sent);
  });
  if (!hasBody) sent.end();
  return {
    requestBody: sent,
    response,
    cancel() {
      isCancelled = true;
      sent.destroy();
      upgraded?.destroy();
    },
  };
}
