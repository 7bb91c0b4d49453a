import { setMaxListeners } from "node:events";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../errors/cli-error.ts";
import { openEarly } from "./preconnect.ts";
import { exchange } from "./send-once.ts";
import { explainFailure } from "./network-error.ts";
import { readResponse } from "./response.ts";
import { pauseAfter, type Outcome, type Retry } from "./retry.ts";
import { createRoute, type Way } from "./route.ts";
import { createTunnelAgent } from "./tunnel.ts";
import { startStopwatch } from "./stopwatch.ts";

/** One HTTP request, before it is known how it travels. */
export interface Request {
  readonly method: string;
  readonly url: string;
  /** In the order in which they are sent; a name may come twice. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Buffer | Readable;
  /** Milliseconds until the answer's headers must be there. */
  readonly timeout?: number;
  /** Ends this request, its body and its further attempts. */
  readonly signal?: AbortSignal;
  /** A GET or HEAD whose connection fails is sent three times in all where it is not said, anything else once. */
  readonly retry?: Retry;
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

export interface Send {
  (request: Request): Promise<Response>;
  /** Opens the connection that the first request to a URL's origin will take, so that it is there when the request is. */
  connect?(url: URL): void;
}

interface SendOptions {
  /** Where CLOUDRUN_OAUTH_EMULATOR, HTTP_PROXY, HTTPS_PROXY and NO_PROXY are read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends whatever is under way; its reason, where it is a CliError, is what is thrown. */
  readonly signal?: AbortSignal;
  /** Takes a line for each request, without headers. */
  readonly debug?: (text: string) => void;
  /** Takes a line where the next attempt is a while away. */
  readonly note?: (text: string) => void;
}

/** Milliseconds; who sits in front wonders about a longer silence. */
const SILENCE = 1000;

/**
 * Sends requests over connections that are kept alive: to the emulator where one is set and the host is one of Google's, else by the
 * proxy that the environment names, else straight. Redirects are not followed. What fails is sent again as the request says. Throws
 * CliError: UNAVAILABLE, TIMEOUT, EMULATOR_NOT_RUNNING, SETTINGS_INVALID, or the signal's reason.
 */
export function createSend({ env, signal, debug = () => {}, note = () => {} }: SendOptions): Send {
  // Every request under way listens to the signal: more than ten of them are no leak.
  if (signal) setMaxListeners(0, signal);
  const route = createRoute(env);
  const agents = new Map<string, { readonly agent: HttpAgent; readonly connect: ReturnType<typeof openEarly> }>();

  const agentOf = ({ tunnel, secure }: Way) => {
    const key = `${secure} ${tunnel?.href ?? ""}`;
    const known = agents.get(key);
    if (known) return known;
    const settings = { keepAlive: true };
    const agent = tunnel ? createTunnelAgent(tunnel, signal) : secure ? new HttpsAgent(settings) : new HttpAgent(settings);
    const made = { agent, connect: openEarly(agent) };
    agents.set(key, made);
    return made;
  };

  const met = new Set<string>();
  const connect = (url: URL): void => {
    if (met.has(url.origin)) return;
    met.add(url.origin);
    const way = route(url);
    agentOf(way).connect(way.to);
  };

  const send = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    met.add(url.origin);
    const way = route(url);
    const signals = [signal, request.signal].filter((each) => each !== undefined);
    for (let attempts = 1; ; attempts += 1) {
      const stop = stopped(signals, url);
      if (stop) throw stop;
      const elapsed = startStopwatch();
      const outcome: Outcome = await exchange(request, way, agentOf(way).agent, signals).then(
        (answer) => ({ answer }),
        (error: unknown) => ({ error }),
      );
      const told = "answer" in outcome ? String(outcome.answer.statusCode) : ((outcome.error as NodeJS.ErrnoException).code ?? "failed");
      const took = Math.round(elapsed());
      debug(`${request.method} ${url.origin}${url.pathname}${url.search} → ${told} (${took} ms${way.note})`);

      const pause = stopped(signals, url) ? undefined : pauseAfter(attempts, outcome, request, way);
      if (pause === undefined) {
        if ("answer" in outcome)
          return readResponse(outcome.answer, request.method, (error) => stopped(signals, url) ?? explainFailure(error, url, way));
        throw stopped(signals, url) ?? explainFailure(outcome.error, url, way);
      }
      if ("answer" in outcome) outcome.answer.destroy();
      if (pause > SILENCE) note(`${url.host}: ${told}; trying again in ${Math.round(pause / 1000)} s`);
      await sleep(pause, undefined, { signal: AbortSignal.any(signals) }).catch(() => {});
    }
  };
  return Object.assign(send, { connect });
}

function stopped(signals: readonly AbortSignal[], url: URL): CliError | undefined {
  const { reason } = (signals.find(({ aborted }) => aborted) ?? {}) as { readonly reason?: Error };
  if (reason === undefined || reason instanceof CliError) return reason;
  if (reason.name === "TimeoutError")
    return new CliError("TIMEOUT", `${url.host} took too long to answer.`, { details: { host: url.host } });
  return new CliError("INTERRUPTED", "Interrupted.");
}
