import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Readable } from "node:stream";

export class HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | Readable;

  constructor(status: number, headers: Readonly<Record<string, string>>, body: string | Buffer | Readable = "") {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

export function jsonResponse(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return new HttpResponse(status, { "content-type": "application/json; charset=UTF-8", ...headers }, `${JSON.stringify(value, null, 2)}\n`);
}

export function htmlResponse(text: string, status: number, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return new HttpResponse(status, { "content-type": "text/html; charset=UTF-8", ...headers }, text);
}

/** Keeps a connection open while the client is still sending: a client that is disconnected doesn't read the response. */
export function keepReading(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void {
  if (!request.complete && "shouldKeepAlive" in response) response.shouldKeepAlive = true;
}
