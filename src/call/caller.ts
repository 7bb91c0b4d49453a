import { Readable } from "node:stream";
import { explainRefusal } from "../auth/refusal.ts";
import type { CachedCredentials } from "../auth/token-cache.ts";
import { CliError } from "../errors.ts";
import type { Response, Send } from "../request.ts";
import { withToken } from "./headers.ts";
import type { InvokeOptions } from "./options.ts";
import type { Call } from "./plan.ts";
import { redirected, type Sent } from "./redirect.ts";

/** What came of a call. */
export interface Answer {
  /** Where it came from, after redirects. */
  readonly url: URL;
  /** Its body is unread below a status of 400. */
  readonly response: Response;
  /** The body from 400 on. */
  readonly bytes?: Buffer | undefined;
  /** What a status from 400 on means: HTTP_STATUS, or NOT_AUTHENTICATED, NOT_AUTHORIZED or NOT_REACHABLE where Cloud Run's front end refused. */
  readonly error?: CliError | undefined;
  /** When the call was sent, by `performance.now()`. */
  readonly started: number;
}

type Tokens = Pick<CachedCredentials, "fetchIdToken" | "forget">;

type Policy = Pick<InvokeOptions, "location" | "maxTime" | "retries" | "retryAll" | "waitFor">;

const MOST_REDIRECTS = 10;

/** Milliseconds; an instance takes up to four minutes to start. */
const MOST_WAITING = 5 * 60_000;

/** What may pass by itself. The front end's 401 and 403 are not among them: they are answers. */
const PASSING = [429, 503];

/** Makes calls with ID tokens: over and over, by redirects, and within a time, as far as the flags say. It throws as `send` and the credentials do. */
export function createCaller(send: Send, credentials: Tokens, policy: Policy): (call: Call) => Promise<Answer> {
  const { location, maxTime, retries, retryAll = false, waitFor } = policy;
  // Who waits calls again anyway, and does not wait for an answer that never comes.
  const retry = { times: waitFor === undefined ? retries : 0, statuses: PASSING, all: retryAll };
  const limit = maxTime ?? (waitFor === undefined ? undefined : MOST_WAITING);

  async function once(call: Call, token: string, signal: { readonly signal?: AbortSignal }): Promise<Answer> {
    const started = performance.now();
    let sent: Sent = call;
    for (let redirects = 0; ; redirects += 1) {
      const { method, url, body } = sent;
      const isOwn = url.origin === call.url.origin;
      const headers = isOwn ? withToken(sent.headers, token, call.carrier) : sent.headers;
      const response = await send({ method, url: url.href, headers, ...(body && { body }), retry, ...signal });
      const next = location ? redirected(sent, response) : undefined;
      if (!next) return settle(response, url, isOwn ? token : undefined, started);
      response.body.destroy();
      if (redirects === MOST_REDIRECTS)
        throw new CliError("HTTP_STATUS", `${call.url.host} redirects on and on: ${MOST_REDIRECTS} times, at last to ${next.url.origin}.`, {
          details: { status_code: response.status, url: next.url.origin },
        });
      sent = next;
    }
  }

  const taken = new Set<string>();
  return async (call) => {
    const { audience } = call;
    const token = await credentials.fetchIdToken(audience);
    const end = limit === undefined ? {} : { signal: endAfter(limit) };
    const answer = await once(call, token, end);
    const isRefused = answer.response.status === 401 && answer.error?.code === "NOT_AUTHENTICATED";
    if (!isRefused) taken.add(token);
    // It was good once: keys are changed, and clocks are set.
    const isStale = isRefused && (credentials.forget(audience, token) || taken.has(token));
    return isStale && !(call.body instanceof Readable) ? once(call, await credentials.fetchIdToken(audience), end) : answer;
  };
}

async function settle(response: Response, url: URL, token: string | undefined, started: number): Promise<Answer> {
  const { status, headers } = response;
  if (status < 400) return { url, response, started };
  const bytes = await response.bytes();
  const error =
    explainRefusal({ url, status, headers, body: bytes.toString("utf8"), token, now: Date.now() }) ??
    new CliError("HTTP_STATUS", `The service answered ${status}.`, { details: { status_code: status, url: url.href } });
  return { url, response, bytes, error, started };
}

function endAfter(milliseconds: number): AbortSignal {
  const end = new AbortController();
  const over = new CliError("TIMEOUT", `The call was not done after --max-time, ${milliseconds / 1000} s.`);
  // The connection keeps the process alive while there is something to end.
  setTimeout(() => end.abort(over), milliseconds).unref();
  return end.signal;
}
