import type { Socket } from "node:net";
import { createAnswerReader, type AnswerHead } from "./answer-reader.ts";
import type { Dial } from "./dial.ts";

/** One connection to the service, over and over: a request at a time. */
export interface Lane {
  /** Milliseconds by `performance.now()` when the request that is under way was sent; undefined where none is. */
  readonly since: number | undefined;
  /** Sends a request. Its lane is free again when `answered` or `failed` was called. */
  send(request: Buffer): void;
  /** Ends what is under way, which fails with the error. */
  fail(error: Error): void;
  close(): void;
}

interface LaneOptions {
  readonly dial: Dial;
  readonly isToHead: boolean;
  /** A request that meets the end of a resting connection is sent again on a new one: RFC 9110, section 9.2.2. */
  readonly isIdempotent: boolean;
  answered(answer: AnswerHead): void;
  failed(error: NodeJS.ErrnoException): void;
  /** Takes the bytes that came. */
  received(bytes: number): void;
}

/** The peer closed the connection before the answer was whole. */
class BrokenOff extends Error {
  override readonly name = "BrokenOff";
  readonly code = "ECONNRESET";
}

export function createLane({ dial, isToHead, isIdempotent, answered, failed, received }: LaneOptions): Lane {
  let socket: Socket | undefined;
  /** What ends the connection that is being opened, or is open, before its time. */
  let attempt = 0;
  let request: Buffer | undefined;
  let since: number | undefined;
  /** Answers of this connection, and whether a byte of the one to come is there. */
  let answers = 0;
  let hasBegun = false;

  const drop = (): void => {
    attempt += 1;
    socket?.destroy();
    socket = undefined;
  };
  const give = (error: NodeJS.ErrnoException): void => {
    drop();
    if (request === undefined) return;
    request = undefined;
    since = undefined;
    failed(error);
  };

  const open = (): void => {
    attempt += 1;
    const mine = attempt;
    answers = 0;
    const reader = createAnswerReader((answer) => {
      answers += 1;
      request = undefined;
      since = undefined;
      if (!answer.isKept) drop();
      answered(answer);
    });
    expect = () => reader.expect(isToHead);
    const read = (piece: Buffer): void => {
      if (mine !== attempt) return;
      hasBegun = true;
      received(piece.length);
      try {
        reader.read(piece);
      } catch (error) {
        if (mine === attempt) give(error as Error);
      }
    };
    const lost = (error: NodeJS.ErrnoException): void => {
      if (mine !== attempt) return;
      const isStale = answers > 0 && !hasBegun && isIdempotent && request !== undefined;
      if (!isStale) return give(error);
      drop();
      write();
    };
    dial(read, (error, opened) => {
      if (error) return lost(error);
      if (mine !== attempt) return void opened.destroy();
      socket = opened;
      opened.on("error", lost);
      opened.on("close", () => {
        if (mine === attempt && !reader.end()) lost(new BrokenOff("the connection was closed before the answer was whole"));
      });
      if (request !== undefined) write();
    });
  };
  let expect = (): void => {};
  const write = (): void => {
    if (socket === undefined) return open();
    hasBegun = false;
    expect();
    socket.write(request as Buffer);
  };

  return {
    get since() {
      return since;
    },
    send(bytes) {
      request = bytes;
      since = performance.now();
      write();
    },
    fail: give,
    close: drop,
  };
}
