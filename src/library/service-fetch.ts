import { Readable } from "node:stream";
import type { ReadableStream as NodeWebStream } from "node:stream/web";
import { chooseTokenHeader, hasHeader, withToken, type Headers as HeaderList } from "../invoke/headers.ts";
import type { Response as Answer, Send } from "../http/client.ts";
import { explainAnswer, rememberToken } from "./diagnose.ts";
import type { IdTokenSource } from "./id-token-source.ts";
import { followRedirect, locationOf, type Hop } from "./redirect.ts";
import { toWebResponse } from "./web-response.ts";

interface Service {
  readonly send: Send;
  /** The service's URL: what relative ones are relative to, and whose origin alone gets a token. */
  findUrl(): Promise<URL>;
  tokens(url: URL): IdTokenSource;
}

/** The Fetch standard's number. */
const REDIRECTS = 20;

/** What says how the request travels follows from the request; Host would bring the token to another service. */
const RESERVED_HEADERS = [
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-serverless-authorization",
];

const DEFAULT_HEADERS: HeaderList = [
  ["accept", "*/*"],
  ["accept-encoding", "gzip, deflate, br"],
  ["user-agent", "cloudrun-oauth"],
];

/** `fetch` with the ID token of a service's caller: see `createFetch`. */
export function openServiceFetch({ send, findUrl, tokens }: Service): typeof fetch {
  return async (input, init) => {
    const base = await unlessAborted(findUrl(), init?.signal ?? (input instanceof Request ? input.signal : undefined));
    const request = input instanceof Request ? new Request(input, init) : new Request(new URL(String(input), base), init);
    const { signal } = request;
    if (!/^https?:/.test(request.url)) return fetch(request);
    let hop = await firstHop(request, isStream(input, init));
    try {
      for (let count = 0; ; count += 1) {
        signal.throwIfAborted();
        const { answer, token } = await call(hop, signal, base);
        const location = request.redirect === "manual" ? undefined : locationOf(answer, hop.url);
        if (!location) {
          const response = toWebResponse(answer, { url: hop.url, method: hop.method, isRedirected: count > 0, signal });
          rememberToken(response, token);
          return response;
        }
        answer.body.destroy();
        if (request.redirect === "error") throw new TypeError("fetch failed: the answer is a redirect");
        if (count === REDIRECTS) throw new TypeError(`fetch failed: more than ${REDIRECTS} redirects`);
        hop = followRedirect(hop, answer.status, location);
      }
    } catch (error) {
      if (hop.body instanceof Readable) hop.body.destroy();
      throw signal.aborted ? signal.reason : error;
    }
  };

  /** Sends one request; a token that was kept and is refused is tried anew, once. */
  async function call(hop: Hop, signal: AbortSignal, base: URL): Promise<{ answer: Answer; token: string | undefined }> {
    const { url, method, headers, body, isStray } = hop;
    const request = { url: url.href, method, signal, ...(body !== undefined && { body }) };
    if (isStray || url.origin !== base.origin) return { answer: await send({ ...request, headers }), token: undefined };
    const source = tokens(base);
    const carrier = chooseTokenHeader(headers);
    const { token, isNew } = await unlessAborted(source.get(), signal);
    const answer = await send({ ...request, headers: withToken(headers, token, carrier) });
    if (isNew || answer.status !== 401) return { answer, token };
    const { refusal, ...read } = await explainAnswer(answer, url, token);
    if (!refusal) return { answer: { ...answer, ...read }, token };
    source.forget(token);
    if (body instanceof Readable) return { answer: { ...answer, ...read }, token };
    const next = await unlessAborted(source.get(), signal);
    return { answer: await send({ ...request, headers: withToken(headers, next.token, carrier) }), token: next.token };
  }
}

/** A body that is no stream is kept, so that it can be sent again. */
async function firstHop(request: Request, streams: boolean): Promise<Hop> {
  const given: HeaderList = [...request.headers].filter(([name]) => !RESERVED_HEADERS.includes(name));
  const headers = [...given, ...DEFAULT_HEADERS.filter(([name]) => !hasHeader(given, name))];
  const { method } = request;
  const url = new URL(request.url);
  const body =
    request.body === null
      ? undefined
      : streams
        ? Readable.fromWeb(request.body as NodeWebStream)
        : Buffer.from(await request.arrayBuffer());
  return { url, method, headers, body, isStray: false };
}

function isStream(input: string | URL | Request, init: RequestInit | undefined): boolean {
  const body: unknown = init?.body;
  if (body == null) return input instanceof Request;
  return typeof body === "object" && (body instanceof ReadableStream || Symbol.asyncIterator in body);
}

/** What others wait for too goes on; this one does not wait any longer. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
