import { STATUS_CODES } from "node:http";
import { Readable } from "node:stream";
import { principalOfToken } from "../auth/member.ts";
import { responseAuthor, isFromIap } from "./refusal/response-author.ts";
import type { EvidenceLookup } from "./refusal/evidence.ts";
import { sendWithToken } from "../auth/send-with-token.ts";
import type { CachedCredentials } from "../auth/token-cache.ts";
import { CliError } from "../errors/cli-error.ts";
import type { Response, Retry, Send } from "../http/request.ts";
import { startStopwatch } from "../http/stopwatch.ts";
import { withToken, type Headers } from "./headers.ts";
import type { InvokeOptions } from "./options.ts";
import type { Call } from "./request.ts";
import { readRedirect, type RedirectableRequest } from "./redirect.ts";

export interface CallResult {
  /** The URL that responded, after redirects. */
  readonly url: URL;
  /** The body is unread if the status is below 400. */
  readonly response: Response;
  /** The body if the status is 400 or above. */
  readonly bytes?: Buffer | undefined;
  /** What a status of 400 or above means: HTTP_STATUS, or NOT_AUTHENTICATED, NOT_AUTHORIZED or NOT_REACHABLE if Cloud Run's front end refused. */
  readonly error?: CliError | undefined;
  /** The caller, as policies name it; undefined if neither credentials nor token say so. */
  readonly principal: string | undefined;
  /** Milliseconds since the request was sent. */
  readonly elapsed: () => number;
}

type Caller = Pick<CachedCredentials, "accepted" | "fetchIdToken" | "rejected" | "principal">;

interface Policy extends Pick<InvokeOptions, "location" | "maxTimeMs" | "retries" | "retryAll" | "waitFor"> {
  /** Used if the response doesn't say why the front end refused. */
  readonly lookUpEvidence: EvidenceLookup;
}

interface UnexplainedResult extends Omit<CallResult, "error"> {
  /** The request's headers. */
  readonly sent: Headers;
}

const MAX_REDIRECTS = 10;

/** For each call under `--wait-for`. */
const WAITING_CALL_TIMEOUT_MS = 5 * 60_000;

/** The front end's 401 and 403 aren't among them: they are results. */
const TRANSIENT_STATUSES = [429, 503];

/** Makes calls with ID tokens, with retries, redirects and a timeout as the flags say. The function throws as `send` and the credentials do. */
export function createAuthenticatedCall(send: Send, caller: Caller, policy: Policy): (call: Call) => Promise<CallResult> {
  const { location, maxTimeMs, retries, retryAll = false, waitFor, lookUpEvidence } = policy;
  // --wait-for calls again anyway.
  const retry = { times: waitFor === undefined ? retries : 0, statuses: TRANSIENT_STATUSES, evenIfNotIdempotent: retryAll } satisfies Retry;
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
          `Too many redirects from ${call.url.host} (${MAX_REDIRECTS}, the last to ${redirected.url.origin}).`,
          {
            details: { status_code: response.status, url: redirected.url.origin },
          },
        );
      next = redirected;
    }
  }

  /** Explains a refusal. Under `--wait-for`, evidence isn't looked up for each one. */
  async function explain({ sent, ...result }: UnexplainedResult): Promise<CallResult> {
    const { url, bytes, principal } = result;
    if (!bytes) return result;
    const { status, headers } = result.response;
    const { explainRefusal } = await import("./refusal/explain-refusal.ts");
    const refused = { url, status, headers, body: bytes.toString("utf8"), sent, principal, now: Date.now() };
    const error =
      (await explainRefusal(refused, waitFor === undefined ? lookUpEvidence : undefined)) ??
      new CliError("HTTP_STATUS", `Service returned ${[status, STATUS_CODES[status]].filter(Boolean).join(" ")}.`, {
        details: { status_code: status, url: url.href },
      });
    return { ...result, error };
  }

  return async (call) => {
    const { audience, body } = call;
    send.connect?.(call.url);
    let timeout: { readonly signal?: AbortSignal } | undefined;
    const { result, token } = await sendWithToken({
      fetchToken: () => caller.fetchIdToken(audience),
      send: (token) => sendOnce(call, token, (timeout ??= timeoutMs === undefined ? {} : { signal: timeoutSignal(timeoutMs) })),
      isRejected: isTokenRejected,
      dropRejected: (token) => caller.rejected(audience, token),
      canResend: !(body instanceof Readable),
    });
    if (!isTokenRejected(result)) caller.accepted(token);
    return explain(result);
  };
}

/** Whether Cloud Run's front end rejected the token. A service's own 401 isn't about the token, which the service never saw. */
function isTokenRejected({ response: { status, headers }, bytes }: UnexplainedResult): boolean {
  return status === 401 && responseAuthor({ status, headers, body: bytes?.toString("utf8") ?? "" }) === "front end";
}

function timeoutSignal(milliseconds: number): AbortSignal {
  const end = new AbortController();
  const over = new CliError("TIMEOUT", `Request timed out after ${milliseconds / 1000} s (--max-time).`);
  // An open connection keeps the process alive.
  setTimeout(() => end.abort(over), milliseconds).unref();
  return end.signal;
}
