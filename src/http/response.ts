import type { IncomingMessage } from "node:http";
import { PassThrough, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { Response } from "./request.ts";

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(),
  "x-gzip": () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
};

/** The response with its body decoded; a failure while the body is read is thrown as the error that `explain` returns. */
export function readResponse(received: IncomingMessage, method: string, explain: (error: unknown) => Error): Response {
  const body = new PassThrough();
  const decoder = hasBody(received, method) ? DECODERS[received.headers["content-encoding"]?.toLowerCase() ?? ""]?.() : undefined;
  const fail = (error: unknown) => void body.destroy(explain(error));
  received.once("error", fail);
  decoder?.once("error", fail);
  // The reader gets the error; if no one reads the body, the error must not end the process.
  body.on("error", () => {});
  body.once("close", () => received.destroy());
  (decoder ? received.pipe(decoder) : received).pipe(body);

  // With events, because Node's toArray takes milliseconds when it is first used.
  const bytes = (): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const pieces: Buffer[] = [];
      const giveUp = (): void => reject(body.errored ?? new Error("The body was given up."));
      if (body.destroyed) return giveUp();
      body.on("data", (piece: Buffer) => pieces.push(piece));
      body.once("end", () => resolve(Buffer.concat(pieces)));
      body.once("close", giveUp);
    });
  const text = async () => (await bytes()).toString("utf8");
  return {
    status: received.statusCode ?? 0,
    statusText: received.statusMessage ?? "",
    headers: joinHeaders(received),
    cookies: received.headersDistinct["set-cookie"] ?? [],
    body,
    bytes,
    text,
    json: async () => JSON.parse(await text()) as unknown,
  };
}

/** A response without a body can name an encoding too: RFC 9110, section 8.4. */
function hasBody({ statusCode, headers }: IncomingMessage, method: string): boolean {
  return method !== "HEAD" && statusCode !== 204 && statusCode !== 304 && headers["content-length"] !== "0";
}

function joinHeaders({ headersDistinct }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headersDistinct).map(([name, values]) => [name, (values ?? []).join(", ")]));
}
