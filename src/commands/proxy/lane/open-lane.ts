import { MOST_HEAD } from "../../../http/wire/connection.ts";
import { ODD } from "../../../http/wire/fields.ts";
import { openLane, type Lane } from "../../../http/wire/lane.ts";
import { isStatusPath, type Door } from "../local-responses.ts";
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
