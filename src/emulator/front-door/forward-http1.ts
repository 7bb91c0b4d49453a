import { Agent, request as httpRequest, type ClientRequest } from "node:http";
import type { Duplex } from "node:stream";
import type { Answer } from "./response.ts";

/** A request as an instance gets it. */
export interface Onward {
  readonly method: string;
  readonly path: string;
  /** Name, value, name, value … */
  readonly headers: readonly string[];
  readonly hasBody: boolean;
  /** Whether the caller would speak WebSocket. */
  readonly wantsWebSocket: boolean;
}

/** A request to an instance that is under way. */
export interface Asked {
  /** Where the request's body goes. */
  readonly body: NodeJS.WritableStream;
  /** Rejects where the instance gave none. */
  readonly answer: Promise<Answer>;
  /** Breaks off whatever is still under way. */
  cancel(): void;
}

const agent = new Agent({ keepAlive: true });

/** Asks the instance at a loopback port in HTTP/1.1. */
export function askHttp1(port: number, { method, path, hasBody, wantsWebSocket, ...onward }: Onward): Asked {
  const headers = [...onward.headers];
  if (wantsWebSocket) headers.push("Connection", "Upgrade", "Upgrade", "websocket");
  if (hasBody && !headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === "content-length")) {
    headers.push("Transfer-Encoding", "chunked");
  }
  const send = (): ClientRequest =>
    httpRequest({ host: "127.0.0.1", port, method, path, headers: headers as unknown as Record<string, string>, setHost: false, agent });

  let sent = send();
  let upgraded: Duplex | undefined;
  const answer = new Promise<Answer>((resolve, reject) => {
    const listen = (): void => {
      sent.on("response", (message) => {
        const { statusCode = 0, rawHeaders } = message;
        if (statusCode < 200) return void sent.destroy();
        resolve({
          status: statusCode,
          rawHeaders,
          body: message,
          isHeadOnly: false,
          trailers: () => message.trailersDistinct as Record<string, string[]>,
        });
      });
      if (wantsWebSocket) {
        sent.on("upgrade", ({ statusCode = 0, rawHeaders }, connection, head) => {
          upgraded = connection;
          if (head.length > 0) connection.unshift(head);
          resolve({ status: statusCode, rawHeaders, body: connection, isHeadOnly: false, trailers: () => ({}), connection });
        });
      }
      sent.on("error", (error: NodeJS.ErrnoException) => {
        // RFC 9112, section 9.3.1: the instance closed a resting connection at the moment that it was used again.
        if (hasBody || !sent.reusedSocket || error.code !== "ECONNRESET") return reject(error);
        sent = send();
        listen();
        sent.end();
      });
      const mine = sent;
      // Without an error too: a status that HTTP does not have, or the change to a protocol that nobody asked for.
      sent.on("close", () => mine === sent && reject(new Error("The instance gave no answer")));
    };
    listen();
  });
  if (!hasBody) sent.end();
  return {
    body: sent,
    answer,
    cancel() {
      sent.destroy();
      upgraded?.destroy();
    },
  };
}
