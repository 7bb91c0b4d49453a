import type { Readable } from "node:stream";

/** An HTTP request, whatever its route. */
export interface Request {
  readonly method: string;
  readonly url: string;
  /** In the order in which they are sent; names can repeat. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Buffer | Readable;
  /** The time until the response's headers must have arrived. */
  readonly timeoutMs?: number;
  /** Ends this request, its body, and its further attempts. */
  readonly signal?: AbortSignal;
  /** By default a GET or HEAD whose connection fails is sent up to three times in all, anything else once. */
  readonly retry?: Retry;
}

/** When a request that failed is sent again. */
export interface Retry {
  /** Attempts after the first. */
  readonly times: number;
  /** Statuses after which it is sent again; without them, only a request that got no response is. */
  readonly statuses?: readonly number[];
  /** Although its method isn't idempotent. */
  readonly evenIfNotIdempotent?: boolean;
  /** The longest pause after the first attempt; half a second by default. */
  readonly firstPauseMs?: number;
}

/** The response; its body can be read once, in one of these ways. */
export interface Response {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case; repeated values are joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** The values of Set-Cookie, which can't be told apart once they are joined: RFC 9110, section 5.3. */
  readonly cookies: readonly string[];
  readonly body: Readable;
  bytes(): Promise<Buffer>;
  text(): Promise<string>;
  json(): Promise<unknown>;
}

export interface Send {
  (request: Request): Promise<Response>;
  /** Opens the connection for the first request to a URL's origin ahead of time. */
  connect?(url: URL): void;
}
