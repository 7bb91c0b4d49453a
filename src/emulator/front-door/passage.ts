import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Lease } from "../run/instances/pool.ts";
import type { Page } from "./error-pages.ts";
import type { Trace } from "./trace.ts";

/** A request to a service, as far as the front door looks at it. */
export interface ServiceRequest extends Pick<
  IncomingMessage,
  "method" | "url" | "headers" | "rawHeaders" | "httpVersion" | "httpVersionMajor"
> {
  readonly socket: Pick<Socket, "remoteAddress" | "bytesRead" | "bytesWritten">;
}

export interface PassOnOptions {
  readonly instance: Pick<Lease, "port" | "protocol" | "requestTimeout">;
  /** Name, value, name, value …: the caller's headers, the checked credential already without its signature. */
  readonly rawHeaders: readonly string[];
  /** The same, of what the answer has besides the service's own. */
  readonly added: readonly string[];
  readonly trace: Trace;
}

/** A call that is under way, by whichever way it came: the front door decides what becomes of it, and the way does it. */
export interface Passage {
  readonly request: ServiceRequest;
  /** Calls back when the call is over, with the status that was answered. */
  onOver(done: (status: number) => void): void;
  /** Answers with a page of the front end's own. */
  refuse(page: Page, trace: Trace): void;
  /**
   * Streams the request to an instance and its answer back; resolves when that is over, for whatever reason.
   * Gives back the page to answer with where the instance gave no answer that could be begun.
   */
  passOn(options: PassOnOptions): Promise<Page | undefined>;
}
