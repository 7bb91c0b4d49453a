import type { ServerResponse } from "node:http";
import { constants, type Http2ServerResponse, type OutgoingHttpHeaders } from "node:http2";
import type { Duplex, Readable } from "node:stream";
import type { Page } from "./error-pages.ts";
import { HOP_BY_HOP } from "./request-headers.ts";
import { cloudTraceContext, type Trace } from "./trace.ts";

/** What an instance answers, in HTTP/1.1 or in HTTP/2. */
export interface Answer {
  readonly status: number;
  /** Name, value, name, value … */
  readonly rawHeaders: readonly string[];
  readonly body: Readable;
  /** Whether the answer is its head and nothing else, as gRPC's `Trailers-Only` is: its caller has to get it in one piece too. */
  readonly isHeadOnly: boolean;
  /** What came after the body; to be read when that has ended. */
  trailers(): Readonly<Record<string, string | string[]>>;
  /** The connection, where the instance agreed to another protocol. */
  readonly connection?: Duplex;
}

/** What goes to a caller of HTTP/1.1, or through Node's compatibility API to one of HTTP/2. */
export type Response = ServerResponse | Http2ServerResponse;

/** Begins a response. Throws where the status or a header is none that the caller's protocol can carry. */
export function writeHead(response: Response, status: number, rawHeaders: readonly string[], isHeadOnly = false): void {
  if (!("stream" in response)) {
    const isWhole = status === 204 || status === 304 || response.req.method === "HEAD" || has(rawHeaders, "content-length");
    return void response.writeHead(status, isWhole ? without(rawHeaders, "trailer") : (rawHeaders as string[]));
  }
  const headers: OutgoingHttpHeaders = { ":status": status };
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    const value = rawHeaders[index + 1] as string;
    const before = headers[name];
    headers[name] = before === undefined ? value : [before as string | string[], value].flat();
  }
  response.stream.respond(headers, isHeadOnly ? { endStream: true } : { waitForTrailers: true });
}

function has(rawHeaders: readonly string[], name: string): boolean {
  return rawHeaders.some((text, index) => index % 2 === 0 && text.toLowerCase() === name);
}

/** RFC 9110, section 6.5.1: nothing follows a body that is not in chunks, and Node writes no head that says so. */
function without(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => rawHeaders[index - (index % 2)]?.toLowerCase() !== name);
}

/** Ends a response that has begun in a way that no caller takes for its end. */
export function breakOff(response: Response): void {
  if ("stream" in response) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}

/** The headers of an instance's answer as the caller sees them; it is dated where the instance has not done so. `now` is in milliseconds. */
export function responseHeaders(rawHeaders: readonly string[], trace: Trace, now: number): string[] {
  const headers: string[] = [];
  let isDated = false;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const known = name.toLowerCase();
    if (known === "date") isDated = true;
    if (!HOP_BY_HOP.has(known) && known !== "server") headers.push(name, rawHeaders[index + 1] as string);
  }
  headers.push(...(isDated ? [] : dateHeader(now)), ...frontEndHeaders(trace));
  return headers;
}

/** The headers of a page of the front end's own. */
export function pageHeaders({ headers, body }: Page, trace: Trace, now: number): string[] {
  const length = String(Buffer.byteLength(body as string));
  return [...Object.entries(headers).flat(), "Content-Length", length, ...dateHeader(now), ...frontEndHeaders(trace)];
}

/** Many answers are of the same second. */
function dateHeader(now: number): string[] {
  const second = Math.floor(now / 1000);
  if (second !== last.second) last = { second, text: new Date(now).toUTCString() };
  return ["Date", last.text];
}

let last = { second: Number.NaN, text: "" };

/** What the front end adds to every answer, its own pages included. */
function frontEndHeaders(trace: Trace): string[] {
  return ["X-Cloud-Trace-Context", cloudTraceContext(trace), "Server", "Google Frontend", "Alt-Svc", 'h3=":443"; ma=2592000'];
}
