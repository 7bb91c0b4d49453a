import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type Http2ServerResponse, type OutgoingHttpHeaders } from "node:http2";
import type { Duplex, Readable } from "node:stream";
import { HOP_BY_HOP_HEADERS, headerIndexes, withoutHeaders, type RawHeaders } from "../server/raw-headers.ts";
import { keepReading } from "../server/http-response.ts";
import type { Page } from "./error-pages.ts";
import { cloudTraceContext, type Trace } from "./trace.ts";

export interface InstanceResponse {
  readonly status: number;
  readonly rawHeaders: RawHeaders;
  readonly body: Readable;
  /** True if the response is only its head, such as gRPC's `Trailers-Only`: the caller must get it in one piece too. */
  readonly isHeadOnly: boolean;
  /** The fields after the body, complete when the body has ended. */
  trailers(): Readonly<Record<string, string | string[]>>;
  /** The connection, if the instance agreed to another protocol. */
  readonly connection?: Duplex;
}

/** The response to a caller that speaks HTTP/1.1 or, through Node's compatibility API, HTTP/2. */
export type CallerResponse = ServerResponse | Http2ServerResponse;

/** Begins a response. Throws if the caller's protocol can't carry the status or a header. */
export function writeHead(response: CallerResponse, status: number, rawHeaders: RawHeaders, isHeadOnly = false): void {
  if (!("stream" in response)) {
    const isUnchunked =
      status === 204 || status === 304 || response.req.method === "HEAD" || headerIndexes(rawHeaders, "content-length").length > 0;
    // RFC 9110, section 6.5.1: trailers follow only a body in chunks, and Node throws at a head that announces others.
    return void response.writeHead(status, isUnchunked ? withoutHeaders(rawHeaders, /^trailer$/i) : (rawHeaders as string[]));
  }
  const headers: OutgoingHttpHeaders = { ":status": status };
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    const value = rawHeaders[index + 1] as string;
    const previous = headers[name];
    headers[name] = previous === undefined ? value : [previous as string | string[], value].flat();
  }
  response.stream.respond(headers, isHeadOnly ? { endStream: true } : { waitForTrailers: true });
}

/** Ends a response that has begun so that no caller takes it for complete. */
export function abortResponse(response: CallerResponse): void {
  if ("stream" in response) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}

/** The headers of an instance's response as the caller sees them, with a Date if it has none; `now` is in milliseconds. */
export function responseHeaders(rawHeaders: RawHeaders, trace: Trace, now: number): string[] {
  const headers: string[] = [];
  let isDated = false;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const lowerName = name.toLowerCase();
    if (lowerName === "date") isDated = true;
    if (!HOP_BY_HOP_HEADERS.has(lowerName) && lowerName !== "server") headers.push(name, rawHeaders[index + 1] as string);
  }
  headers.push(...(isDated ? [] : dateHeader(now)), ...frontEndHeaders(trace));
  return headers;
}

interface PageTarget {
  readonly request: IncomingMessage;
  readonly response: CallerResponse;
  readonly trace: Trace;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function sendPage(page: Page, { request, response, trace, now }: PageTarget): void {
  keepReading(request, response);
  writeHead(response, page.status, pageHeaders(page, trace, now));
  response.end(request.method === "HEAD" ? "" : (page.body as string));
}

function pageHeaders({ headers, body }: Page, trace: Trace, now: number): string[] {
  const length = String(Buffer.byteLength(body as string));
  return [...Object.entries(headers).flat(), "Content-Length", length, ...dateHeader(now), ...frontEndHeaders(trace)];
}

/** Cached, since many responses are sent within one second. */
function dateHeader(now: number): string[] {
  const second = Math.floor(now / 1000);
  if (second !== lastDate.second) lastDate = { second, text: new Date(now).toUTCString() };
  return ["Date", lastDate.text];
}

let lastDate = { second: Number.NaN, text: "" };

/** What the front end adds to every response, its own pages included. */
function frontEndHeaders(trace: Trace): string[] {
  return ["X-Cloud-Trace-Context", cloudTraceContext(trace), "Server", "Google Frontend", "Alt-Svc", 'h3=":443"; ma=2592000'];
}
