import type { Socket } from "node:net";
import { INCOMPLETE, type ODD } from "./fields.ts";

/** What a request's head says of where the request ends. */
export interface Bounds {
  /** Where the body begins. */
  readonly end: number;
  /** Bytes of the body; undefined where nothing is said of it. */
  readonly length: number | undefined;
}

/** A request that is being answered. */
export interface Exchange {
  start(): void;
  /** Takes bytes of the body; false where more are to wait until the caller is resumed. */
  send(bytes: Buffer): boolean;
  /** The caller has taken what was written. */
  drain(): void;
  /** The caller went away. */
  abandon(): void;
}

/** The caller, as an exchange sees it. */
export interface Caller {
  readonly socket: Socket;
  /** Writes the head, where there is one, and bytes; false where it is slow to take them. */
  write(head: string, bytes: Buffer): boolean;
  /** True where nothing that was written waits here any more. */
  isTaken(): boolean;
  /** More of the body may come. */
  resume(): void;
  /** Whether the connection may serve another request. */
  isKept(): boolean;
  /** All is answered. */
  done(isKept: boolean): void;
  breakOff(): void;
  /** The request is to be answered by who reads all of HTTP, because of what was answered. */
  leave(): void;
}

/** A caller's connection. */
export interface Connection {
  readonly socket: Socket;
  /** Since when it rests, in milliseconds since the epoch; 0 where it does not. */
  since: number;
}

interface Surroundings<Head extends Bounds> {
  /** The head that what was read begins with; odd where it is none of the common ones. */
  read(bytes: Buffer): Head | typeof INCOMPLETE | typeof ODD;
  open(head: Head, caller: Caller): Exchange;
  /** Whether connections are kept for another request. */
  isKept(): boolean;
  /** The connection is closed. */
  end(): void;
  /** The connection goes on elsewhere with these bytes; `isOdd` where that is because of what was answered. */
  leave(bytes: Buffer, isOdd: boolean): void;
}

/** Bytes in which a request's head is looked for. */
export const MOST_HEAD = 16 * 1024;
/** Bytes of a body that are written together with the head. */
const SHORT = 16 * 1024;
/** Milliseconds in which the rest of what was cut in two is waited for. */
const PATIENCE = 100;

/** Serves the requests of a connection one after the other; what is returned takes the first bytes. */
export function serveConnection<Head extends Bounds>(
  connection: Connection,
  { read, open, isKept, end, leave }: Surroundings<Head>,
): (first: Buffer) => void {
  const { socket } = connection;
  let exchange: Exchange | undefined;
  /** What came of the request under way when it began. */
  let asked: Buffer | undefined;
  /** Bytes of its body that have not come. */
  let missing = 0;
  /** What has come after it. */
  let later: Buffer[] = [];
  let isEnded = false;
  /** Runs while the rest of a head is waited for. */
  let waiting: NodeJS.Timeout | undefined;

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
    const head = read(bytes);
    if (head === INCOMPLETE && !waiting && bytes.length < MOST_HEAD) return wait(bytes);
    if (typeof head === "string") return goElsewhere(bytes, false);
    clearTimeout(waiting);
    waiting = undefined;
    const whole = head.end + (head.length ?? 0);
    const come = Math.min(bytes.length, whole);
    missing = whole - come;
    asked = bytes.subarray(0, come);
    if (come < bytes.length) later.push(bytes.subarray(come));
    exchange = open(head, caller);
    const isHungry = come === head.end || exchange.send(bytes.subarray(head.end, come));
    if (!isHungry && missing > 0) socket.pause();
    exchange.start();
  };
  /** A head that was cut in two is mostly whole with the next piece; whoever sends it byte by byte is nothing common. */
  const wait = (bytes: Buffer): void => {
    later = [bytes];
    waiting = setTimeout(() => goElsewhere(Buffer.concat(later), false), PATIENCE);
  };
  const goElsewhere = (bytes: Buffer, isOdd: boolean): void => {
    exchange = undefined;
    clearTimeout(waiting);
    socket.off("data", onData).off("drain", onDrain).off("end", onEnd).off("close", onClose);
    leave(bytes, isOdd);
  };

  const onDrain = (): void => {
    exchange?.drain();
    next();
  };
  // A caller that ends its side has gone away, as node:http has it too.
  const onEnd = (): void => {
    if (waiting) return goElsewhere(Buffer.concat(later), false);
    isEnded = true;
    exchange?.abandon();
    exchange = undefined;
    socket.end();
  };
  const onClose = (): void => {
    clearTimeout(waiting);
    exchange?.abandon();
    end();
  };
  const caller: Caller = {
    socket,
    write(head, bytes) {
      if (head === "") return bytes.length === 0 || socket.write(bytes);
      if (bytes.length <= SHORT) return socket.write(head + bytes.toString("latin1"), "latin1");
      socket.cork();
      socket.write(head, "latin1");
      const isTaken = socket.write(bytes);
      socket.uncork();
      return isTaken;
    },
    isTaken: () => socket.writableLength === 0,
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
