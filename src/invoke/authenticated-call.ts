import { Readable } from "node:stream";
import { principalOfToken } from "../auth/principal.ts";
import { responseAuthor, isFromIap } from "./refusal/response-author.ts";
import type { EvidenceLookup } from "./refusal/evidence.ts";
import { sendWithToken } from "../auth/send-with-token.ts";
import type { CachedCredentials } from "../auth/token-cache.ts";
import { CliError } from "../errors/cli-error.ts";
import type { Response, Send } from "../http/client.ts";
import { startStopwatch } from "../http/stopwatch.ts";
import { withToken, type Headers } from "./headers.ts";
import type { InvokeOptions } from "./options.ts";
import type { Call } from "./request.ts";
import { readRedirect, type RedirectableRequest } from "./redirect.ts";

/** What came of a call. */
export interface CallResult {
  /** Where it came from, after redirects. */
  readonly url: URL;
  /** Its body is unread below a status of 400. */
  readonly response: Response;
  /** The body from 400 on. */
  readonly bytes?: Buffer | undefined;
  /** What a status from 400 on means: HTTP_STATUS, or NOT_AUTHENTICATED, NOT_AUTHORIZED or NOT_REACHABLE where Cloud Run's front end refused. */
  readonly error?: CliError | undefined;
  /** Who called, as policies name him; undefined where neither credentials nor token say so. */
  readonly principal: string | undefined;
  /** Milliseconds since the call was sent. */
  readonly elapsed: () => number;
}

/** Who calls, and with what. */
type Caller = Pick<CachedCredentials, "accepted" | "fetchIdToken" | "forget" | "principal">;

interface Policy extends Pick<InvokeOptions, "location" | "maxTimeMs" | "retries" | "retryAll" | "waitFor"> {
  /** Asked why a call was refused, where the answer does not tell. */
  readonly lookUpEvidence: EvidenceLookup;
}

/** An answer before it is known what it means. */
interface UnexplainedResult extends Omit<CallResult, "error"> {
  /** The headers that went along. */
  readonly sent: Headers;
}

const MAX_REDIRECTS = 10;

/** Milliseconds that one call of a wait may take. */
const WAITING_CALL_TIMEOUT_MS = 5 * 60_000;

/** What may pass by itself. The front end's 401 and 403 are not among them: they are answers. */
const TRANSIENT_STATUSES = [429, 503];

/** Makes calls with ID tokens: over and over, by redirects, and within a time, as far as the flags say. It throws as `send` and the credentials do. */
export function createAuthenticatedCall(send: Send, caller: Caller, policy: Policy): (call: Call) => Promise<CallResult> {
  const { location, maxTimeMs, retries, retryAll = false, waitFor, lookUpEvidence } = policy;
  // Who waits calls again anyway, and does not wait for an answer that never comes.
  const retry = { times: waitFor === undefined ? retries : 0, statuses: TRANSIENT_STATUSES, all: retryAll };
  const timeoutMs = maxTimeMs ?? (waitFor === undefined ? undefined : WAITING_CALL_TIMEOUT_MS);

  async function sendOnce(call: Call, token: string, signal: { readonly signal?: AbortSignal }): Promise<UnexplainedResult> {
    const elapsed = startStopwatch();
    const principal = caller.principal ?? principalOfToken(token);
    let next: RedirectableRequest = call;
    for (let redirects = 0; ; redirects += 1) {
      const { method, url, body } = next;
      const headers = next.hasLeftOrigin ? next.headers : withToken(next.headers, token, call.tokenHeader);
      const response = await send({ method, url: url.href, headers, ...(body && { body }), retry, ...signal });
      const redirected = location && !isFromIap(response.headers) ? readRedirect(next, response)?.next : undefined;
      if (!redirected) {
        const isRefusal = response.status >= 400 || isFromIap(response.headers);
        return { url, response, sent: headers, principal, elapsed, ...(isRefusal && { bytes: await response.bytes() }) };
      }
      response.body.destroy();
      if (redirects === MAX_REDIRECTS)
        throw new CliError(
          "HTTP_STATUS",
          `${call.url.host} redirects on and on: ${MAX_REDIRECTS} times, at last to ${redirected.url.origin}.`,
          {
            details: { status_code: response.status, url: redirected.url.origin },
          },
        );
      next = redirected;
    }
  }

  /** Says what a refusal means. Who waits for another answer does not have each one looked into. */
  async function explain({ sent, ...answer }: UnexplainedResult): Promise<CallResult> {
    const { url, bytes, principal } = answer;
    if (!bytes) return answer;
    const { status, headers } = answer.response;
    const { explainRefusal } = await import("./refusal/explain-refusal.ts");
    const refused = { url, status, headers, body: bytes.toString("utf8"), sent, principal, now: Date.now() };
    const error =
      (await explainRefusal(refused, waitFor === undefined ? lookUpEvidence : undefined)) ??
      new CliError("HTTP_STATUS", `The service answered ${status}.`, { details: { status_code: status, url: url.href } });
    return { ...answer, error };
  }

  return async (call) => {
    const { audience, body } = call;
    send.connect?.(call.url);
    let timeout: { readonly signal?: AbortSignal } | undefined;
    const { result, token } = await sendWithToken({
      fetchToken: () => caller.fetchIdToken(audience),
      send: (token) => sendOnce(call, token, (timeout ??= timeoutMs === undefined ? {} : { signal: timeoutSignal(timeoutMs) })),
      isRejected: isTokenRejected,
      discard: (token) => caller.forget(audience, token),
      canResend: !(body instanceof Readable),
    });
    if (!isTokenRejected(result)) caller.accepted(token);
    return explain(result);
  };
}

/** The front end's 401. A service's own is not about the token: it never saw it. */
function isTokenRejected({ response: { status, headers }, bytes }: UnexplainedResult): boolean {
  return status === 401 && responseAuthor({ status, headers, body: bytes?.toString("utf8") ?? "" }) === "front end";
}

function timeoutSignal(milliseconds: number): AbortSignal {
  const end = new AbortController();
  const over = new CliError("TIMEOUT", `The call was not done after --max-time, ${milliseconds / 1000} s.`);
  // The connection keeps the process alive while there is something to end.
  setTimeout(() => end.abort(over), milliseconds).unref();
  return end.signal;
}
