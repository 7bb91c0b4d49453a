import type { Socket } from "node:net";
import { MalformedResponse } from "../../http/wire/malformed-response.ts";
import type { ResponseHead } from "../../http/wire/response-head.ts";
import { createResponseReader, type ResponseReader } from "../../http/wire/response-reader.ts";
import type { Connect } from "./connect.ts";

/** Sends requests one by one over a connection, which it reopens when necessary. */
export interface LoadConnection {
  /** When the current request was sent, by `performance.now()`; undefined without one. */
  readonly sentAt: number | undefined;
  /** Sends a request. The next one can follow after `onResponse` or `onFailure`. */
  send(request: Buffer): void;
  /** Ends the current request, which fails with the error. */
  fail(error: Error): void;
  close(): void;
}

interface ConnectionOptions {
  readonly connect: Connect;
  readonly method: string;
  /** True if a request that meets the end of an idle connection is sent again on a new one: RFC 9110, section 9.2.2. */
  readonly isIdempotent: boolean;
  onResponse(head: ResponseHead): void;
  onFailure(error: NodeJS.ErrnoException): void;
  onBytes(count: number): void;
}

/** The service closed the connection before the response was complete. */
class ConnectionClosed extends Error {
  override readonly name = "ConnectionClosed";
  readonly code = "ECONNRESET";
}

export function createConnection({ connect, method, isIdempotent, onResponse, onFailure, onBytes }: ConnectionOptions): LoadConnection {
  let socket: Socket | undefined;
  /** Identifies the connection that is open, or being opened: events of earlier ones are ignored. */
  let generation = 0;
  let request: Buffer | undefined;
  let sentAt: number | undefined;
  let responses = 0;
  let hasResponseBegun = false;
  let reader: ResponseReader | undefined;

  const drop = (): void => {
    generation += 1;
    socket?.destroy();
    socket = undefined;
  };
  const fail = (error: NodeJS.ErrnoException): void => {
    drop();
    if (request === undefined) return;
    request = undefined;
    sentAt = undefined;
    onFailure(error);
  };
  const onEnd = (head: ResponseHead, isClean: boolean): void => {
    // No one asked for the bytes that follow.
    if (!isClean && !head.isLast) throw new MalformedResponse();
    reader = undefined;
    responses += 1;
    request = undefined;
    sentAt = undefined;
    if (head.isLast) drop();
    onResponse(head);
  };

  const open = (): void => {
    generation += 1;
    const own = generation;
    responses = 0;
    const onData = (piece: Buffer): void => {
      if (own !== generation) return;
      hasResponseBegun = true;
      onBytes(piece.length);
      try {
        if (!reader) throw new MalformedResponse();
        reader.read(piece);
      } catch (error) {
        if (own === generation) fail(error as Error);
      }
    };
    const onLost = (error: NodeJS.ErrnoException): void => {
      if (own !== generation) return;
      const isStale = responses > 0 && !hasResponseBegun && request !== undefined;
      if (!isStale || !isIdempotent) return fail(error);
      drop();
      write();
    };
    connect(onData, (error, opened) => {
      if (error) return onLost(error);
      if (own !== generation) return void opened.destroy();
      socket = opened;
      opened.on("error", onLost);
      opened.on("close", () => {
        if (own === generation && !reader?.close())
          onLost(new ConnectionClosed("the connection was closed before the response was complete"));
      });
      if (request !== undefined) write();
    });
  };
  const write = (): void => {
    if (socket === undefined) return open();
    hasResponseBegun = false;
    reader = createResponseReader(method, onEnd);
    socket.write(request as Buffer);
  };

  return {
    get sentAt() {
      return sentAt;
    },
    send(bytes) {
      request = bytes;
      sentAt = performance.now();
      write();
    },
    fail,
    close: drop,
  };
}
