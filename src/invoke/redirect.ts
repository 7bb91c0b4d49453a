import { Readable } from "node:stream";
import type { Response } from "../http/client.ts";
import { isSecretHeader, type Headers } from "./headers.ts";

/** A request on its way through redirects. */
export interface RedirectableRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Buffer | Readable | undefined;
}

/**
 * The request that an answer redirects to; undefined where it redirects nowhere that can be followed. What is a secret between the caller and
 * the service stays with the service: it goes to the same origin only. https://fetch.spec.whatwg.org/#http-redirect-fetch
 */
export function followRedirect(
  sent: RedirectableRequest,
  { status, headers: { location } }: Pick<Response, "status" | "headers">,
): RedirectableRequest | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined || !URL.canParse(location, sent.url.href)) return undefined;
  const url = new URL(location, sent.url);
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  const isOwn = url.origin === sent.url.origin;
  const headers = isOwn ? sent.headers : sent.headers.filter(([name]) => !isSecretHeader(name) && name.toLowerCase() !== "host");

  const becomesGet = status === 303 ? !["GET", "HEAD"].includes(sent.method) : status < 303 && sent.method === "POST";
  if (becomesGet) return { method: "GET", url, headers: headers.filter(([name]) => !/^content-/i.test(name)), body: undefined };
  // A stream has been read.
  if (sent.body instanceof Readable) return undefined;
  return { ...sent, url, headers };
}
