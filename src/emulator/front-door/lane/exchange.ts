import type { Caller, Exchange } from "../../../http/wire/connection.ts";
import { pageHeaders } from "../response.ts";
import type { FrontDoor } from "../front-door.ts";
import type { Passage, ServiceRequest } from "../passage.ts";
import { writeHead } from "./head.ts";
import type { LinksTo } from "./open-lane.ts";
import { passOnLinks } from "./pass-on-links.ts";
import type { LaneRequest } from "./request.ts";

interface Surroundings {
  readonly frontDoor: FrontDoor;
  readonly now: () => number;
  readonly linksTo: LinksTo;
  readonly report: (line: string) => void;
  /** From now on, requests to a host go the other way. */
  readonly leave: (host: string) => void;
}

/** The answer to a request, as what passes it on sees it. */
export interface Outgoing {
  readonly now: () => number;
  readonly isKept: boolean;
  /** What is answered, or would be by a server that says nothing else. */
  status: number;
  /** True where nobody waits for it any more. */
  isOver(): boolean;
  /** Writes the head, where there is one, and bytes; false where the caller is slow to take them. */
  write(head: string, bytes: Buffer): boolean;
  /** True where nothing that was written waits here any more. */
  isTaken(): boolean;
  /** All is written. */
  finish(): void;
  /** Ends it in a way that nobody takes for its end. */
  breakOff(): void;
  /** Has it answered the other way. */
  leave(): void;
  /** Who hears that the caller has taken what was written, or is gone. */
  hear(listener: Listener): void;
}

interface Listener {
  onDrain(): void;
  onGone(): void;
}

const NOTHING = Buffer.alloc(0);

/** Has a request answered by the front door. */
export function openExchange(asked: LaneRequest, caller: Caller, { frontDoor, now, linksTo, report, leave }: Surroundings): Exchange {
  const { method, path, host, rawHeaders, headers } = asked;
  const request: ServiceRequest = {
    method,
    url: path,
    headers,
    rawHeaders,
    httpVersion: "1.1",
    httpVersionMajor: 1,
    socket: caller.socket,
  };
  const listeners: ((status: number) => void)[] = [];
  const isKept = !asked.isLast && caller.isKept();
  let body: Buffer = NOTHING;
  let isOver = false;
  let listener: Listener | undefined;

  const over = (): void => {
    isOver = true;
    for (const each of listeners) each(outgoing.status);
  };
  const outgoing: Outgoing = {
    now,
    isKept,
    status: 200,
    isOver: () => isOver,
    write: (head, bytes) => caller.write(head, bytes),
    isTaken: () => caller.isTaken(),
    finish() {
      over();
      caller.done(isKept);
    },
    breakOff() {
      over();
      caller.breakOff();
    },
    leave() {
      isOver = true;
      leave(host);
      caller.leave();
    },
    hear: (each) => void (listener = each),
  };
  const passage: Passage = {
    request,
    onOver: (done) => void listeners.push(done),
    refuse(page, trace) {
      if (isOver) return;
      const { status } = page;
      const head = writeHead({ status, headers: pageHeaders(page, trace, now()), framing: "by length", isKept });
      outgoing.write(head, method === "HEAD" ? NOTHING : Buffer.from(page.body as string));
      outgoing.status = status;
      outgoing.finish();
    },
    passOn: (options) => passOnLinks({ asked, request, body, outgoing, linksTo }, options),
  };

  return {
    start() {
      frontDoor(passage, host).catch((error: unknown) => {
        report(`${method} ${host}${path.split("?")[0]}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
        if (!isOver) outgoing.breakOff();
      });
    },
    // All of it was there with the head.
    send(bytes) {
      body = bytes;
      return true;
    },
    drain: () => listener?.onDrain(),
    abandon() {
      if (isOver) return;
      listener?.onGone();
      over();
    },
  };
}
