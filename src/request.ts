import { setMaxListeners } from "node:events";
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "./errors.ts";
import { CONNECT_TIMEOUT, explainFailure, TimedOut } from "./request/failure.ts";
import { readResponse } from "./request/response.ts";
import { createRoute, type Way } from "./request/route.ts";
import { createTunnelAgent } from "./request/tunnel.ts";

/** One HTTP request, before it is known how it travels. */
export interface Request {
  readonly method: string;
  readonly url: string;
  /** In the order in which they are sent; a name may come twice. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Buffer | Readable;
  /** Milliseconds until the answer's headers must be there. */
  readonly timeout?: number;
  /** Ends this request alone, with INTERRUPTED unless its reason is a CliError. */
  readonly signal?: AbortSignal;
}

/** The answer; its body is read by exactly one of the ways. */
export interface Response {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case; values that came several times are joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** The values of Set-Cookie, which cannot be told apart any more where they are joined: RFC 9110, section 5.3. */
  readonly cookies: readonly string[];
  readonly body: Readable;
  bytes(): Promise<Buffer>;
  text(): Promise<string>;
  json(): Promise<unknown>;
}

export type Send = (request: Request) => Promise<Response>;

interface SendOptions {
  /** Where CLOUDRUN_OAUTH_EMULATOR, HTTP_PROXY, HTTPS_PROXY and NO_PROXY are read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends whatever is under way; its reason, where it is a CliError, is what is thrown. */
  readonly signal?: AbortSignal;
  /** Takes a line for each request, without headers. */
  readonly debug?: (text: string) => void;
}

const RETRIES = 2;

/** What may pass by itself. ENOTFOUND is not among them: a name that does not exist will not exist in a second. */
const PASSING = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/**
 * Sends requests over connections that are kept alive: to the emulator where one is set and the host is one of Google's, else by the
 * proxy that the environment names, else straight. Redirects are not followed. A GET or HEAD whose connection fails is tried
 * three times in all. Throws CliError: UNAVAILABLE, TIMEOUT, EMULATOR_NOT_RUNNING, SETTINGS_INVALID, or the signal's reason.
 */
export function createSend({ env, signal: ending, debug = () => {} }: SendOptions): Send {
  // Every request under way listens to the signal: more than ten of them are no leak.
  if (ending) setMaxListeners(0, ending);
  const route = createRoute(env);
  const agents = new Map<string, HttpAgent>();

  const agentOf = ({ tunnel, secure }: Way): HttpAgent => {
    const key = `${secure} ${tunnel?.href ?? ""}`;
    const agent =
      agents.get(key) ??
      (tunnel ? createTunnelAgent(tunnel, ending) : secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true }));
    agents.set(key, agent);
    return agent;
  };

  return async (request) => {
    const signal = eitherOf(ending, request.signal);
    const stop = stopped(signal);
    if (stop) throw stop;
    const url = new URL(request.url);
    const way = route(url);
    const repeatable = (request.method === "GET" || request.method === "HEAD") && !(request.body instanceof Readable) && !way.emulator;
    for (let attempt = 1; ; attempt += 1) {
      const started = performance.now();
      const note = (outcome: string) =>
        debug(
          `${request.method} ${url.origin}${url.pathname}${url.search} → ${outcome} (${Math.round(performance.now() - started)} ms${way.note})`,
        );
      try {
        const answer = await exchange(request, way, agentOf(way), signal);
        note(String(answer.statusCode));
        return readResponse(answer, request.method, (error) => stopped(signal) ?? explainFailure(error, url, way));
      } catch (error) {
        const { code = "failed" } = error as NodeJS.ErrnoException;
        note(code);
        const reason = stopped(signal);
        if (reason) throw reason;
        if (!repeatable || attempt > RETRIES || !PASSING.has(code)) throw explainFailure(error, url, way);
        await sleep(100 * 3 ** attempt * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
      }
    }
  };
}

function exchange(request: Request, way: Way, agent: HttpAgent, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = (way.secure ? httpsRequest : httpRequest)({ ...way.to, method: request.method, agent, setHost: false });
    // A request that has no connection yet says nothing when it is destroyed: the promise is settled beside it.
    const stop = (error: unknown) => {
      reject(error);
      outgoing.destroy(error as Error);
    };
    const abort = () => stop(signal?.reason);
    const limit = (milliseconds: number) => setTimeout(() => stop(new TimedOut(milliseconds)), milliseconds);
    const connecting = limit(CONNECT_TIMEOUT);
    const answering = request.timeout === undefined ? undefined : limit(request.timeout);
    const settled = () => [connecting, answering].forEach(clearTimeout);

    signal?.addEventListener("abort", abort);
    outgoing.once("socket", (socket) => {
      const connected = () => clearTimeout(connecting);
      if (outgoing.reusedSocket) connected();
      else socket.once(way.secure ? "secureConnect" : "connect", connected);
    });
    outgoing.once("response", (answer) => {
      settled();
      resolve(answer);
    });
    outgoing.on("error", reject);
    outgoing.once("close", () => {
      settled();
      signal?.removeEventListener("abort", abort);
      // An answer of 101 closes the connection without a response and without an error.
      reject(new Error("the connection was closed without an answer"));
    });

    setHeaders(outgoing, request, way);
    if (request.body instanceof Readable) {
      request.body.once("error", stop);
      request.body.pipe(outgoing);
    } else {
      outgoing.end(request.body);
    }
  });
}

function setHeaders(outgoing: ClientRequest, { headers = [], body, url }: Request, way: Way): void {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  if (!names.has("host")) outgoing.setHeader("Host", new URL(url).host);
  if (way.authorization) outgoing.setHeader("Proxy-Authorization", way.authorization);
  // Node writes a header's characters as single bytes, so UTF-8 has to be spelled out in them.
  for (const [name, value] of headers) outgoing.appendHeader(name, Buffer.from(value, "utf8").toString("latin1"));
  if (body !== undefined && !(body instanceof Readable)) outgoing.setHeader("Content-Length", Buffer.byteLength(body));
}

function eitherOf(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one && other ? AbortSignal.any([one, other]) : (one ?? other);
}

function stopped(signal: AbortSignal | undefined): CliError | undefined {
  if (!signal?.aborted) return undefined;
  return signal.reason instanceof CliError ? signal.reason : new CliError("INTERRUPTED", "Interrupted.");
}
