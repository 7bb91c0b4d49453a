import type { Socket } from "node:net";
import { isStatusPath, type Door } from "../door.ts";
import { serveConnection, type Connection } from "./connection.ts";

/** Reads and answers the common requests of HTTP/1.1 by itself: most of what node:http does for each is not needed to pass it on. */
export interface Lane {
  /** Takes a connection that has sent its first bytes. */
  serve(socket: Socket, first: Buffer): void;
  /** Keeps no connection for another request. */
  stop(): void;
}

interface LaneOptions {
  readonly door: Door;
  /** Takes over a connection at the begin of a request that is not a common one; `bytes` are what was read of it. */
  readonly handOver: (socket: Socket, bytes: Buffer) => void;
  /** Milliseconds that a connection may rest. */
  readonly rest: number;
}

/** Milliseconds between two looks at who rests. */
const LOOK = 5000;

export function openLane({ door, handOver, rest }: LaneOptions): Lane {
  const connections = new Set<Connection>();
  let isStopped = false;
  /** A service whose answers are odd is left to who reads them. */
  let isLeft = false;
  const isResting = ({ since, socket }: Connection): boolean => since > 0 && socket.writableLength === 0;
  const timer = setInterval(() => {
    const now = Date.now();
    for (const each of connections) if (isResting(each) && now - each.since > rest) each.socket.destroy();
  }, LOOK);
  timer.unref();

  return {
    serve(socket, first) {
      const connection: Connection = { socket, since: 0 };
      connections.add(connection);
      const end = (): void => void connections.delete(connection);
      const begin = serveConnection(connection, {
        door,
        isKept: () => !isStopped,
        isCommon: ({ path, host, browser, method }) => !isLeft && !isStatusPath(path) && door.admit(host, browser, method) === undefined,
        end,
        leave(bytes, isOdd) {
          end();
          isLeft ||= isOdd;
          handOver(socket, bytes);
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
