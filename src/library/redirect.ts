import type { Readable } from "node:stream";
import type { Headers } from "../invoke/headers.ts";
import type { Response as Answer } from "../http/client.ts";

/** One request of those that a call may take. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Buffer | Readable | undefined;
  /** True from where a redirect has led to another origin: what that one asks for is not asked in the caller's name, wherever it is. */
  readonly isStray: boolean;
}

const REDIRECTS = [301, 302, 303, 307, 308];

/** Where an answer sends its caller; undefined where it is no redirect. Throws TypeError for a URL that cannot be followed. */
export function locationOf({ status, headers }: Answer, from: URL): URL | undefined {
  const location = headers["location"];
  if (!REDIRECTS.includes(status) || location === undefined) return undefined;
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") throw new TypeError("fetch failed: a redirect leads to no http URL");
  return url;
}

const OF_THE_BODY = ["content-encoding", "content-language", "content-location", "content-type", "content-length"];
const OF_THE_ORIGIN = ["authorization", "cookie", "proxy-authorization"];

/** The request that follows a redirect: https://fetch.spec.whatwg.org/#http-redirect-fetch. Throws TypeError where its body is gone. */
export function followRedirect({ method, headers, body, url: from, isStray }: Hop, status: number, url: URL): Hop {
  const isGet = method === "GET" || method === "HEAD";
  const becomesGet = status === 303 ? !isGet : status < 303 && method === "POST";
  // A stream that has been sent cannot be sent again.
  if (!becomesGet && body !== undefined && !Buffer.isBuffer(body))
    throw new TypeError("fetch failed: a redirect asks for a body that is a stream again");
  const isElsewhere = url.origin !== from.origin;
  const dropped = [...(becomesGet ? OF_THE_BODY : []), ...(isElsewhere ? OF_THE_ORIGIN : [])];
  return {
    url,
    method: becomesGet ? "GET" : method,
    headers: headers.filter(([name]) => !dropped.includes(name.toLowerCase())),
    body: becomesGet ? undefined : body,
    isStray: isStray || isElsewhere,
  };
}
