import { Readable } from "node:stream";
import type { ReadableStream as NodeWebStream } from "node:stream/web";
import { chooseTokenHeader, hasHeader, withToken, type Headers as HeaderList } from "../invoke/headers.ts";
import { audienceFor } from "../auth/audience.ts";
import { sendWithToken } from "../auth/send-with-token.ts";
import type { CachedCredentials } from "../auth/token-cache.ts";
import { readRedirect, type RedirectableRequest } from "../invoke/redirect.ts";
import { HOP_BY_HOP_HEADERS } from "../http/raw-headers.ts";
import type { Response, Send } from "../http/request.ts";
import { explainResponse, rememberToken } from "./diagnose.ts";
import { toWebResponse } from "./web-response.ts";

interface Service {
  readonly send: Send;
  /** The service's URL: the base of relative URLs; only its origin gets a token. */
  findUrl(): Promise<URL>;
  credentials(): Promise<CachedCredentials>;
  /** Default: the service's URL. */
  readonly audience?: string;
}

/** The Fetch standard's limit. */
const MAX_REDIRECTS = 20;

/** Headers that follow from the request or the connection; Host could route the token to another service. */
const RESERVED_HEADERS = [...HOP_BY_HOP_HEADERS, "content-length", "expect", "host", "trailer", "x-serverless-authorization"];

const DEFAULT_HEADERS: HeaderList = [
  ["accept", "*/*"],
  ["accept-encoding", "gzip, deflate, br"],
  ["user-agent", "cloudrun-oauth"],
];

/** A `fetch` that authenticates with ID tokens: see `createFetch`. */
export function openServiceFetch({ send, findUrl, credentials, audience: customAudience }: Service): typeof fetch {
  return async (input, init) => {
    const base = await unlessAborted(findUrl(), init?.signal ?? (input instanceof Request ? input.signal : undefined));
    const request = input instanceof Request ? new Request(input, init) : new Request(new URL(String(input), base), init);
    const { signal } = request;
    if (!/^https?:/.test(request.url)) return fetch(request);
    let hop = await readFirstRequest(request, isStream(input, init));
    try {
      for (let count = 0; ; count += 1) {
        signal.throwIfAborted();
        const { response, token } = await call(hop, signal, base);
        const redirect = request.redirect === "manual" ? undefined : readRedirect(hop, response);
        if (!redirect) {
          const webResponse = toWebResponse(response, { url: hop.url, method: hop.method, isRedirected: count > 0, signal });
          rememberToken(webResponse, token);
          return webResponse;
        }
        response.body.destroy();
        if (request.redirect === "error") throw new TypeError("fetch failed: the response is a redirect");
        if (count === MAX_REDIRECTS) throw new TypeError(`fetch failed: more than ${MAX_REDIRECTS} redirects`);
        if (!redirect.next) throw new TypeError(`fetch failed: ${redirect.fault}`);
        hop = redirect.next;
      }
    } catch (error) {
      if (hop.body instanceof Readable) hop.body.destroy();
      throw signal.aborted ? signal.reason : error;
    }
  };

  /** Sends one request, with a token if it is to the service. */
  async function call(hop: RedirectableRequest, signal: AbortSignal, base: URL): Promise<{ response: Response; token?: string }> {
    const { url, method, headers, body, hasLeftOrigin } = hop;
    const request = { url: url.href, method, signal, ...(body !== undefined && { body }) };
    if (hasLeftOrigin || url.origin !== base.origin) return { response: await send({ ...request, headers }) };
    const caller = await unlessAborted(credentials(), signal);
    const audience = customAudience ?? audienceFor(base);
    const tokenHeader = chooseTokenHeader(headers);
    const { result, token } = await sendWithToken({
      fetchToken: () => unlessAborted(caller.fetchIdToken(audience), signal),
      send: async (token) => detectRejection(await send({ ...request, headers: withToken(headers, token, tokenHeader) }), url, token),
      isRejected: ({ isRejected }) => isRejected,
      dropRejected: (token) => caller.rejected(audience, token),
      canResend: !(body instanceof Readable),
    });
    if (!result.isRejected) caller.accepted(token);
    return { response: result.response, token };
  }
}

/** The front end's 401 is about the token. Its page is read to recognize it, and replaced by a copy. */
async function detectRejection(response: Response, url: URL, token: string): Promise<{ response: Response; isRejected: boolean }> {
  if (response.status !== 401) return { response, isRejected: false };
  const { refusal, body } = await explainResponse(response, url, token);
  return { response: { ...response, body }, isRejected: refusal !== undefined };
}

/** A body that isn't a stream is buffered, so that it can be sent again. */
async function readFirstRequest(request: Request, isStreamed: boolean): Promise<RedirectableRequest> {
  const given: HeaderList = [...request.headers].filter(([name]) => !RESERVED_HEADERS.includes(name));
  const headers = [...given, ...DEFAULT_HEADERS.filter(([name]) => !hasHeader(given, name))];
  const { method } = request;
  const url = new URL(request.url);
  const body =
    request.body === null
      ? undefined
      : isStreamed
        ? Readable.fromWeb(request.body as NodeWebStream)
        : Buffer.from(await request.arrayBuffer());
  return { url, method, headers, body };
}

function isStream(input: string | URL | Request, init: RequestInit | undefined): boolean {
  const body: unknown = init?.body;
  if (body == null) return input instanceof Request;
  return typeof body === "object" && (body instanceof ReadableStream || Symbol.asyncIterator in body);
}

/** Stops waiting if the signal is aborted; the promise continues, because others can wait for it too. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
