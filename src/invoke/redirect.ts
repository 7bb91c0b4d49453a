import { Readable } from "node:stream";
import type { Response } from "../http/request.ts";
import { isSecretHeader, type Headers } from "./headers.ts";

export interface RedirectableRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Buffer | Readable | undefined;
  /** True once a redirect has led to another origin: from then on no request gets a token, not even one back to the first origin. */
  readonly hasLeftOrigin?: boolean;
}

/** The request to send next, or why the redirect can't be followed, to the end of a sentence. */
type Redirect = { readonly next: RedirectableRequest; readonly fault?: undefined } | { readonly next?: undefined; readonly fault: string };

const REDIRECT_STATUSES = [301, 302, 303, 307, 308];

/** Headers that describe a body: https://fetch.spec.whatwg.org/#request-body-header-name */
const BODY_HEADERS = ["content-encoding", "content-language", "content-location", "content-type", "content-length"];

/**
 * Where a response redirects to; undefined if it isn't a redirect. Headers that are secrets between the caller and the service, and Host,
 * go to the same origin only. https://fetch.spec.whatwg.org/#http-redirect-fetch
 */
export function readRedirect(
  request: RedirectableRequest,
  { status, headers: { location } }: Pick<Response, "status" | "headers">,
): Redirect | undefined {
  if (!REDIRECT_STATUSES.includes(status) || location === undefined) return undefined;
  const url = URL.canParse(location, request.url.href) ? new URL(location, request.url) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return { fault: "the redirect isn't to an http or https URL" };
  const becomesGet = status === 303 ? !["GET", "HEAD"].includes(request.method) : status < 303 && request.method === "POST";
  if (!becomesGet && request.body instanceof Readable) return { fault: "the redirect needs the body again, which was a stream" };

  const isElsewhere = url.origin !== request.url.origin;
  const isDropped = (name: string): boolean =>
    (isElsewhere && (isSecretHeader(name) || name === "host")) || (becomesGet && BODY_HEADERS.includes(name));
  const next = {
    url,
    method: becomesGet ? "GET" : request.method,
    headers: request.headers.filter(([name]) => !isDropped(name.toLowerCase())),
    body: becomesGet ? undefined : request.body,
    hasLeftOrigin: request.hasLeftOrigin === true || isElsewhere,
  };
  return { next };
}
