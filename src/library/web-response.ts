import type { Readable } from "node:stream";
import type { Response as Answer } from "../http/client.ts";

interface RequestFacts {
  readonly url: URL;
  readonly method: string;
  readonly isRedirected: boolean;
  readonly signal: AbortSignal;
}

/** RFC 9110: with these there is no body, and the Fetch standard lets there be none. */
const STATUSES_WITHOUT_BODY = [204, 205, 304];

/** An answer as `fetch` gives it; its body is read from the connection as it is asked for. */
export function toWebResponse(answer: Answer, { url, method, isRedirected, signal }: RequestFacts): Response {
  const { status, statusText } = answer;
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) if (name !== "set-cookie") headers.append(name, value);
  for (const cookie of answer.cookies) headers.append("set-cookie", cookie);
  const isEmpty = method === "HEAD" || STATUSES_WITHOUT_BODY.includes(status);
  // Reads it to its end, which leaves the connection to the next request.
  if (isEmpty) answer.body.resume();
  const response = new Response(isEmpty ? null : toWebStream(answer.body, signal), { status, statusText, headers });
  // What only the platform's own fetch can say to the constructor.
  return Object.defineProperties(response, { url: { value: url.href }, redirected: { value: isRedirected } });
}

/** Node's own conversion reads ahead by thousands of chunks. */
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
