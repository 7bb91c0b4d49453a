import type { Socket } from "node:net";
import { serveConnection, type Bounds, type Caller, type Connection, type Exchange } from "./connection.ts";
import type { INCOMPLETE, ODD } from "./fields.ts";

/** Reads and answers the common requests of HTTP/1.1 by itself: most of what node:http does for each is not needed to pass it on. */
export interface Lane {
  /**
   * Takes a connection that has sent its first bytes. `handOver` gets it at the begin of a request that is not a common one; `bytes` are what was read of
   * it, and `isOdd` says that it was for its answer. Where the caller has ended its side, they are half of a head.
   */
  serve(socket: Socket, first: Buffer, handOver: (socket: Socket, bytes: Buffer, isOdd: boolean) => void): void;
  /** Keeps no connection for another request. */
  stop(): void;
}

interface LaneOptions<Head extends Bounds> {
  /** The head that what was read begins with; odd where it is none of the common ones. */
  readonly read: (bytes: Buffer) => Head | typeof INCOMPLETE | typeof ODD;
  /** Answers a request. */
  readonly open: (head: Head, caller: Caller) => Exchange;
  /** Milliseconds that a connection may rest. */
  readonly rest: number;
}

/** Looks at who rests, in the time that a connection may. */
const LOOKS = 10;

export function openLane<Head extends Bounds>({ read, open, rest }: LaneOptions<Head>): Lane {
  const connections = new Set<Connection>();
  let isStopped = false;
  const isResting = ({ since, socket }: Connection): boolean => since > 0 && socket.writableLength === 0;
  const timer = setInterval(() => {
    const now = Date.now();
    for (const each of connections) if (isResting(each) && now - each.since > rest) each.socket.destroy();
  }, rest / LOOKS);
  timer.unref();

  return {
    serve(socket, first, handOver) {
      const connection: Connection = { socket, since: 0 };
      connections.add(connection);
      const end = (): void => void connections.delete(connection);
      const begin = serveConnection(connection, {
        read,
        open,
        isKept: () => !isStopped,
        end,
        leave(bytes, isOdd) {
          end();
          handOver(socket, bytes, isOdd);
        },
      });
      begin(first);
    },
    stop() {
      isStopped = true;
      clearInterval(timer);
      for (const each of connections) if (isResting(each)) each.socket.destroy();
    },
  };
}
