import type { Socket } from "node:net";
import type { Door } from "../door.ts";
import { openExchange, type Caller, type Exchange } from "./exchange.ts";
import { readRequestHead, type RequestHead } from "./request-head.ts";

/** A caller's connection. */
export interface Connection {
  readonly socket: Socket;
  /** Since when it rests, in milliseconds since the epoch; 0 where it does not. */
  since: number;
}

interface Surroundings {
  readonly door: Door;
  /** Whether connections are kept for another request. */
  isKept(): boolean;
  isCommon(head: RequestHead): boolean;
  /** The connection is closed. */
  end(): void;
  /** The connection goes on elsewhere with these bytes; `isOdd` where that is because of what was answered. */
  leave(bytes: Buffer, isOdd: boolean): void;
}

/** Bytes in which a request's head is looked for. */
const MOST_HEAD = 16 * 1024;
/** Bytes of a body that are written together with the head. */
const SHORT = 16 * 1024;

/** Serves the requests of a connection one after the other; what is returned takes the first bytes. */
export function serveConnection(connection: Connection, { door, isKept, isCommon, end, leave }: Surroundings): (first: Buffer) => void {
  const { socket } = connection;
  let exchange: Exchange | undefined;
  /** The head of the request under way. */
  let asked: Buffer | undefined;
  /** Bytes of its body that have not come. */
  let missing = 0;
  /** What has come after it. */
  let later: Buffer[] = [];
  let isEnded = false;

  const onData = (bytes: Buffer): void => {
    let from = 0;
    if (missing > 0) {
      from = Math.min(missing, bytes.length);
      missing -= from;
      if (exchange && !exchange.send(bytes.subarray(0, from))) socket.pause();
      if (from === bytes.length) return missing === 0 && !exchange ? next() : undefined;
    }
    if (isEnded) return;
    later.push(from === 0 ? bytes : bytes.subarray(from));
    if (exchange || socket.writableNeedDrain) socket.pause();
    else next();
  };
  /** Begins with the next request, where one has come and the caller has taken the last answer. */
  const next = (): void => {
    if (exchange || missing > 0 || isEnded || socket.writableNeedDrain) return;
    if (later.length === 0) return void (connection.since = Date.now());
    connection.since = 0;
    const bytes = later.length === 1 ? (later[0] as Buffer) : Buffer.concat(later);
    later = [];
    const head = readRequestHead(bytes.toString("latin1", 0, MOST_HEAD));
    if (!head || !isCommon(head)) return goElsewhere(bytes, false);
    const whole = head.end + (head.length ?? 0);
    const come = Math.min(bytes.length, whole);
    missing = whole - come;
    asked = bytes.subarray(0, head.end);
    if (come < bytes.length) later.push(bytes.subarray(come));
    exchange = openExchange(head, caller, door);
    const isHungry = come === head.end || exchange.send(bytes.subarray(head.end, come));
    if (!isHungry && missing > 0) socket.pause();
    exchange.start();
  };
  const goElsewhere = (bytes: Buffer, isOdd: boolean): void => {
    exchange = undefined;
    socket.off("data", onData).off("drain", onDrain).off("end", onEnd).off("close", onClose);
    leave(bytes, isOdd);
  };

  const onDrain = (): void => {
    exchange?.drain();
    next();
  };
  // A caller that ends its side has gone away, as node:http has it too.
  const onEnd = (): void => {
    isEnded = true;
    exchange?.abandon();
    exchange = undefined;
    socket.end();
  };
  const onClose = (): void => {
    exchange?.abandon();
    end();
  };
  const caller: Caller = {
    write(head, bytes) {
      if (head === "") return bytes.length === 0 || socket.write(bytes);
      if (bytes.length <= SHORT) return socket.write(head + bytes.toString("latin1"), "latin1");
      socket.cork();
      socket.write(head, "latin1");
      const isTaken = socket.write(bytes);
      socket.uncork();
      return isTaken;
    },
    resume: () => void socket.resume(),
    isKept,
    done(isKept) {
      exchange = undefined;
      if (!isKept) {
        isEnded = true;
        connection.since = Date.now();
        socket.end();
      }
      if (socket.isPaused()) socket.resume();
      next();
    },
    breakOff: () => void socket.destroy(),
    leave: () => goElsewhere(Buffer.concat([asked as Buffer, ...later]), true),
  };

  socket.on("data", onData).on("drain", onDrain).on("end", onEnd).on("close", onClose);
  return onData;
}
