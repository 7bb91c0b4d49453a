import type { IncomingMessage } from "node:http";
import { PassThrough, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(),
  "x-gzip": () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
};

/** The answer with its body decoded; what breaks it off on the way is thrown by whoever reads it, as `explain` says it. */
export function readResponse(answer: IncomingMessage, method: string, explain: (error: unknown) => Error) {
  const body = new PassThrough();
  const decoder = hasBody(answer, method) ? DECODERS[answer.headers["content-encoding"]?.toLowerCase() ?? ""]?.() : undefined;
  const fail = (error: unknown) => void body.destroy(explain(error));
  answer.once("error", fail);
  decoder?.once("error", fail);
  // The error is for the reader; a body that nobody reads must not end the process.
  body.on("error", () => {});
  body.once("close", () => answer.destroy());
  (decoder ? answer.pipe(decoder) : answer).pipe(body);

  // By events: what Node has for it, toArray, takes milliseconds when it is first used.
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
    status: answer.statusCode ?? 0,
    statusText: answer.statusMessage ?? "",
    headers: joinHeaders(answer),
    cookies: answer.headersDistinct["set-cookie"] ?? [],
    body,
    bytes,
    text,
    json: async () => JSON.parse(await text()) as unknown,
  };
}

/** We ask for no encoding, so an answer may name one that it had no body to put into: RFC 9110, section 8.4. */
function hasBody({ statusCode, headers }: IncomingMessage, method: string): boolean {
  return method !== "HEAD" && statusCode !== 204 && statusCode !== 304 && headers["content-length"] !== "0";
}

function joinHeaders({ headersDistinct }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headersDistinct).map(([name, values]) => [name, (values ?? []).join(", ")]));
}
