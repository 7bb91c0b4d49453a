import type { Readable } from "node:stream";
import type { Response as HttpResponse } from "../http/request.ts";

interface RequestFacts {
  readonly url: URL;
  readonly method: string;
  readonly isRedirected: boolean;
  readonly signal: AbortSignal;
}

/** RFC 9110 and the Fetch standard don't allow a body with these. */
const STATUSES_WITHOUT_BODY = [204, 205, 304];

/** A response like `fetch`'s. Its body is read from the connection on demand. */
export function toWebResponse(httpResponse: HttpResponse, { url, method, isRedirected, signal }: RequestFacts): Response {
  const { status, statusText } = httpResponse;
  const headers = new Headers();
  for (const [name, value] of Object.entries(httpResponse.headers)) if (name !== "set-cookie") headers.append(name, value);
  for (const cookie of httpResponse.cookies) headers.append("set-cookie", cookie);
  const isEmpty = method === "HEAD" || STATUSES_WITHOUT_BODY.includes(status);
  // Reads to the end, so that the connection can be reused.
  if (isEmpty) httpResponse.body.resume();
  const response = new Response(isEmpty ? null : toWebStream(httpResponse.body, signal), { status, statusText, headers });
  // The constructor has no options for these.
  return Object.defineProperties(response, { url: { value: url.href }, redirected: { value: isRedirected } });
}

/** Node's own conversion reads thousands of chunks ahead. */
function toWebStream(body: Readable, signal: AbortSignal): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(new Uint8Array(value));
        } catch (error) {
          throw signal.aborted ? signal.reason : error;
        }
      },
      cancel() {
        body.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}
