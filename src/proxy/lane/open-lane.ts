import { MOST_HEAD } from "../../http1/connection.ts";
import { ODD } from "../../http1/fields.ts";
import { openLane, type Lane } from "../../http1/lane.ts";
import { isStatusPath, type Door } from "../door.ts";
import { openExchange } from "./exchange.ts";
import { readRequestHead, type CallerRequestHead } from "./request-head.ts";

/** The lane for requests to the service; a connection may rest for so many milliseconds. */
export function openProxyLane(door: Door, rest: number): Lane {
  /** A service whose answers are odd is left to who reads them. */
  let isLeft = false;
  const isCommon = ({ path, host, browser, method }: CallerRequestHead): boolean =>
    !isLeft && !isStatusPath(path) && door.admit(host, browser, method) === undefined;
  const lane = openLane<CallerRequestHead>({
    read(bytes) {
      const head = readRequestHead(bytes.toString("latin1", 0, MOST_HEAD));
      return typeof head === "string" || isCommon(head) ? head : ODD;
    },
    open: (head, caller) => openExchange(head, caller, door),
    rest,
  });
  return {
    ...lane,
    serve(socket, first, handOver) {
      lane.serve(socket, first, (left, bytes, isOdd) => {
        isLeft ||= isOdd;
        handOver(left, bytes, isOdd);
      });
    },
  };
}
