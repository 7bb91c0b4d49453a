import type { AccessToken, Credentials } from "../../auth/credentials.ts";
import { sendWithToken } from "../../auth/send-with-token.ts";
import type { CloudContext } from "../cloud-context.ts";
import { CliError } from "../../errors/cli-error.ts";
import type { Response, Retry } from "../../http/request.ts";
import { readRetryAfter } from "../../http/retry.ts";
import type { Place } from "../names.ts";
import { findOperatorCredentials } from "../operator-credentials.ts";
import { BUSY_STATUSES, readApiError, readJson } from "./errors.ts";

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly body?: unknown;
  /** Sent as they are, instead of a JSON body. */
  readonly bytes?: Buffer;
  readonly headers?: readonly (readonly [string, string])[];
  readonly timeoutMs?: number;
}

/** The request in one line, for `--dry-run`. */
export function requestLine({ method, url, body }: ApiRequest): string {
  return `${method} ${url}${body === undefined ? "" : ` ${JSON.stringify(body)}`}`;
}

/**
 * Google's APIs. A GET is sent again if that can help. Any other request that fails with UNAVAILABLE or TIMEOUT can have been carried out all the
 * same: `withRetry` repeats work that finds out first what exists.
 */
export interface ApiClient {
  call<Message = unknown>(request: ApiRequest): Promise<Message>;
  send(request: ApiRequest): Promise<Response>;
}

const GET_RETRY: Retry = { times: 5, statuses: BUSY_STATUSES, firstPauseMs: 100 };
/** How many times a GET whose response broke off is sent. */
const MAX_READS = 4;
const REQUEST_TIMEOUT_MS = 60_000;
/** A token that expires sooner than this is not used any more. */
const MIN_TOKEN_LIFETIME_SECONDS = 60;

/** Google's APIs, called as the account that uses the control plane unless other credentials are given. */
export function openApiClient(
  context: Pick<CloudContext, "env" | "settings" | "send">,
  place: Place,
  find: () => Promise<Credentials> = () => findOperatorCredentials(context),
): ApiClient {
  let token: Promise<AccessToken> | undefined;
  let account: string | undefined;
  let rejectedToken: string | undefined;

  async function currentToken(): Promise<string> {
    const current = token;
    const known = await current?.catch(() => undefined);
    const isUsable = known && known.token !== rejectedToken && known.expires >= Date.now() / 1000 + MIN_TOKEN_LIFETIME_SECONDS;
    // Of several requests that need a new token, the first fetches one for all.
    if (token === current && !isUsable) token = fetchOperatorToken();
    return (await token)!.token;
  }

  async function fetchOperatorToken(): Promise<AccessToken> {
    const credentials = await find();
    account = credentials.principal?.replace(/^.*?:/, "");
    return credentials.fetchAccessToken();
  }

  async function send({ method, url, body, bytes, headers = [], timeoutMs = REQUEST_TIMEOUT_MS }: ApiRequest): Promise<Response> {
    const json = body === undefined ? undefined : JSON.stringify(body);
    const type: [string, string][] = json === undefined ? [] : [["Content-Type", "application/json"]];
    const { result } = await sendWithToken({
      fetchToken: currentToken,
      send: (accessToken) =>
        context.send({
          method,
          url,
          headers: [["Authorization", `Bearer ${accessToken}`], ...type, ...headers],
          body: bytes ?? json,
          timeoutMs,
          // A response that begins and never ends counts as none.
          signal: AbortSignal.timeout(5 * timeoutMs),
          ...(method === "GET" ? { retry: GET_RETRY } : { retry: { times: 0 } }),
        }),
      // A token can expire early, and a request that was not authenticated has done nothing.
      isRejected: ({ status, body: unread }) => {
        if (status === 401) unread.resume();
        return status === 401;
      },
      dropRejected(accessToken) {
        rejectedToken = accessToken;
        return true;
      },
      canResend: true,
    });
    return result;
  }

  return {
    send,
    async call<Message>(request: ApiRequest) {
      const { host } = new URL(request.url);
      for (let read = 1; ; read += 1) {
        const response = await send(request);
        const text = await response.text().catch((error: unknown) => {
          // `send` doesn't repeat a request whose response has begun.
          const isUnavailable = error instanceof CliError && error.code === "UNAVAILABLE";
          if (request.method !== "GET" || read === MAX_READS || !isUnavailable) throw error;
        });
        if (text === undefined) continue;
        if (response.status < 400) return readJson(text, host) as Message;
        throw readApiError(response.status, text, host, { ...place, account }, readRetryAfter(response) / 1000);
      }
    },
  };
}
