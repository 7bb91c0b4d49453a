import type { OnReadOpts } from "node:net";
import type { Duplex } from "node:stream";
import { createReading } from "./reading.ts";

/** Whoever a connection works for. */
interface User {
  /** Gives false where the bytes are still needed when it returns. */
  onData(bytes: Buffer): boolean;
  onDrain(): void;
  /** The connection is closed; without an error where the service did so in order. */
  onClose(error: NodeJS.ErrnoException | undefined): void;
}

/** A connection to the service that is used by one request at a time. */
export interface Link {
  readonly connection: Duplex;
  /** True where it has served a request before. */
  readonly isReused: boolean;
}

export interface Links {
  /** A connection that rests, or a new one: at once, unless a tunnel has to be opened first. */
  take(user: User, use: (error: Error | null, link: Link) => void): void;
  /** The connection may serve another request. */
  release(link: Link): void;
  /** Closes a connection that rests, or that a request has broken off; its user hears no more. */
  drop(link: Link): void;
  /** Closes those that have rested for too long; `now` is in milliseconds since the epoch. */
  look(now: number): void;
  /** True where there is none. */
  isEmpty(): boolean;
  /** Closes those that rest. */
  forget(): void;
  /** Closes all. */
  close(): void;
}

interface Held extends Link {
  isReused: boolean;
  user: User | undefined;
  /** Milliseconds since the epoch. */
  restsSince: number;
  error: NodeJS.ErrnoException | undefined;
}

/**
 * Keeps connections for later requests, for so many milliseconds. `connect` calls back at once, or when there is one, which reads as `onread` says where
 * it can.
 */
export function openLinks(
  connect: (onread: OnReadOpts, use: (error: Error | null, connection: Duplex) => void) => void,
  rest: number,
): Links {
  const all = new Set<Held>();
  let resting: Held[] = [];

  const open = (user: User, use: (error: Error | null, link: Link) => void): void => {
    let link: Held | undefined;
    const take = (bytes: Buffer): boolean => {
      if (link?.user) return link.user.onData(bytes);
      // What nobody has asked for would be taken for the answer to the next request.
      link?.connection.destroy();
      return true;
    };
    connect(createReading(take), (error, connection) => {
      if (error) return use(error, undefined as unknown as Link);
      link = watch(connection, user);
      connection.on("data", take);
      use(null, link);
    });
  };
  const watch = (connection: Duplex, user: User): Held => {
    const link: Held = { connection, user, isReused: false, restsSince: 0, error: undefined };
    all.add(link);
    connection.on("drain", () => link.user?.onDrain());
    connection.on("error", (error) => (link.error = error));
    connection.on("end", () => connection.destroy());
    connection.on("close", () => {
      all.delete(link);
      if (link.user) link.user.onClose(link.error);
      else resting = resting.filter((each) => each !== link);
    });
    return link;
  };
  const drop = (link: Link): void => {
    (link as Held).user = undefined;
    link.connection.destroy();
  };
  const forget = (): void => {
    for (const link of resting.splice(0)) drop(link);
  };

  return {
    take(user, use) {
      const now = Date.now();
      for (let link = resting.pop(); link; link = resting.pop()) {
        if (link.connection.destroyed || now - link.restsSince > rest) {
          drop(link);
          continue;
        }
        link.user = user;
        link.isReused = true;
        return use(null, link);
      }
      open(user, use);
    },
    release(link) {
      const held = link as Held;
      held.user = undefined;
      held.restsSince = Date.now();
      resting.push(held);
    },
    drop,
    look(now) {
      const old = resting.filter(({ restsSince }) => now - restsSince > rest);
      resting = resting.filter((link) => !old.includes(link));
      for (const link of old) drop(link);
    },
    isEmpty: () => all.size === 0,
    forget,
    close() {
      for (const link of all) drop(link);
    },
  };
}
