import type { Socket } from "node:net";
import { createAnswerHeadReader, type AnswerHead } from "../../http/wire/response-head.ts";
import { createAnswerReader, OddAnswer, type AnswerReader } from "../../http/wire/response-reader.ts";
import type { Dial } from "./connect.ts";

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
  readonly method: string;
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

const readHead = createAnswerHeadReader([]);
const keep = (): undefined => undefined;

export function createLane({ dial, method, isIdempotent, answered, failed, received }: LaneOptions): Lane {
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
    let head: AnswerHead | undefined;
    let reader: AnswerReader | undefined;
    const listener = {
      onHead: (read: AnswerHead) => void (head = read),
      onBody(_: Buffer, isEnd: boolean, isClean: boolean) {
        if (!isEnd || !head) return;
        // What follows an answer that is not the connection's last was asked for by nobody.
        if (!isClean && !head.isLast) throw new OddAnswer();
        reader = undefined;
        answers += 1;
        request = undefined;
        since = undefined;
        if (head.isLast) drop();
        answered(head);
      },
    };
    expect = () => (reader = createAnswerReader((text) => readHead(text, method, keep), listener));
    const read = (piece: Buffer): void => {
      if (mine !== attempt) return;
      hasBegun = true;
      received(piece.length);
      try {
        if (!reader) throw new OddAnswer();
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
        if (mine === attempt && !reader?.close()) lost(new BrokenOff("the connection was closed before the answer was whole"));
      });
      if (request !== undefined) write();
    });
  };
  /** An answer is to come. */
  let expect = (): unknown => undefined;
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
