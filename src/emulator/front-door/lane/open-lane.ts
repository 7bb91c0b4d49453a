import { connect } from "node:net";
import { ODD } from "../../../http/wire/fields.ts";
import { openLane, type Lane } from "../../../http/wire/lane.ts";
import { openLinks, type Links } from "../../../http/wire/links.ts";
import type { FrontDoor } from "../front-door.ts";
import { openExchange } from "./exchange.ts";
import { REST } from "./head.ts";
import { readLaneRequest, type LaneRequest } from "./request.ts";

/** The connections to an instance, by its port on loopback. */
export type LinksTo = (port: number) => Links;

interface ServiceLaneOptions {
  readonly frontDoor: FrontDoor;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** False while all requests have to go the other way. */
  readonly isOpen: () => boolean;
  /** Takes a line about what is a bug of the emulator. */
  readonly report: (line: string) => void;
}

interface ServiceLane extends Pick<Lane, "serve"> {
  close(): void;
}

/** Milliseconds that a connection to an instance may rest: less than Node's servers keep it. */
const LINK_REST = 4000;

/** The lane for calls to services: the front door decides about them as about all others, and node:http takes no part in the common ones. */
export function openServiceLane({ frontDoor, now, isOpen, report }: ServiceLaneOptions): ServiceLane {
  const links = new Map<number, Links>();
  const linksTo: LinksTo = (port) => {
    const known = links.get(port);
    if (known) return known;
    const opened = openLinks((onread, use) => use(null, connect({ host: "127.0.0.1", port, noDelay: true, onread })), LINK_REST);
    links.set(port, opened);
    return opened;
  };
  const timer = setInterval(() => {
    for (const [port, each] of links) {
      each.look(Date.now());
      if (each.isEmpty()) links.delete(port);
    }
  }, LINK_REST);
  timer.unref();
  /** Hosts of services that do not speak HTTP/1.1 as most do: they are left to who reads all of HTTP. */
  const left = new Set<string>();
  const lane = openLane<LaneRequest>({
    read(bytes) {
      if (!isOpen()) return ODD;
      const request = readLaneRequest(bytes);
      return typeof request === "string" || !left.has(request.host) ? request : ODD;
    },
    open: (request, caller) => openExchange(request, caller, { frontDoor, now, linksTo, report, leave: (host) => void left.add(host) }),
    rest: REST,
  });
  return {
    serve: lane.serve,
    close() {
      clearInterval(timer);
      lane.stop();
      for (const each of links.values()) each.close();
    },
  };
}
