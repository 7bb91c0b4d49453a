import type { Credentials } from "../../auth/credentials.ts";
import type { AccessToken } from "../../auth/credentials.ts";
import type { CloudContext } from "../cloud-context.ts";
import { CliError } from "../../errors/cli-error.ts";
import type { Response } from "../../http/client.ts";
import { retryAfter } from "../../http/retry.ts";
import type { Place } from "../names.ts";
import { explainControlPlane, type Facts } from "../errors/control-plane.ts";
import { findOperatorCredentials } from "../operator-credentials.ts";
import { quotaSpent } from "../errors/project.ts";

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly body?: unknown;
  /** Bytes that are sent as they are, instead of a JSON body. */
  readonly bytes?: Buffer;
  readonly headers?: readonly (readonly [string, string])[];
  /** Milliseconds until the answer begins; a minute where it is not said. */
  readonly timeout?: number;
}

/** The request in one line, for `--dry-run`. */
export function requestLine({ method, url, body }: ApiRequest): string {
  return `${method} ${url}${body === undefined ? "" : ` ${JSON.stringify(body)}`}`;
}

/**
 * Google's APIs. What only reads is asked again where that may help. Whatever else fails with UNAVAILABLE or TIMEOUT may have happened all the same:
 * `persist` does it again, where its work first looks what is there.
 */
export interface ApiClient {
  /** The answer's JSON. Throws what Google's error means. */
  call(request: ApiRequest): Promise<unknown>;
  /** The answer as it comes, whatever its status. */
  send(request: ApiRequest): Promise<Response>;
}

/** What passes by itself: a quota that is spent, an API that is not there for the moment. */
const BUSY = [429, 500, 502, 503, 504];
const READING = { times: 5, statuses: BUSY, first: 100 };
/** How often an answer that broke off is asked for. */
const READINGS = 4;
/** Milliseconds. */
const TIMEOUT = 60_000;

/** Google's APIs under the account that the control plane is used as, unless other credentials are given. */
export function openApiClient(
  context: Pick<CloudContext, "env" | "settings" | "send">,
  place: Place,
  find: () => Promise<Credentials> = () => findOperatorCredentials(context),
): ApiClient {
  let token: Promise<AccessToken> | undefined;
  let account: string | undefined;

  async function currentToken(): Promise<string> {
    const asked = token;
    const known = await asked?.catch(() => undefined);
    // A minute before it ends it is not begun with any more. Of several that find it so, the first asks for all.
    if (token === asked && (!known || known.expires < Date.now() / 1000 + 60)) token = fetchOperatorToken();
    return (await token)!.token;
  }

  async function fetchOperatorToken(): Promise<AccessToken> {
    const credentials = await find();
    account = credentials.principal?.replace(/^.*?:/, "");
    return credentials.fetchAccessToken();
  }

  async function send({ method, url, body, bytes, headers = [], timeout = TIMEOUT }: ApiRequest): Promise<Response> {
    const json = body === undefined ? undefined : JSON.stringify(body);
    const type: [string, string][] = json === undefined ? [] : [["Content-Type", "application/json"]];
    for (let isFirst = true; ; isFirst = false) {
      const used = await currentToken();
      const response = await context.send({
        method,
        url,
        headers: [["Authorization", `Bearer ${used}`], ...type, ...headers],
        body: bytes ?? json,
        timeout,
        // An answer that begins and does not end is none.
        signal: AbortSignal.timeout(5 * timeout),
        ...(method === "GET" ? { retry: READING } : { retry: { times: 0 } }),
      });
      // A token that was good may have ended meanwhile, and what was not let in has done nothing.
      if (response.status !== 401 || !isFirst) return response;
      response.body.resume();
      const known = await token;
      if (known?.token === used) token = undefined;
    }
  }

  return {
    send,
    async call(request) {
      const { host } = new URL(request.url);
      for (let reading = 1; ; reading += 1) {
        const response = await send(request);
        const text = await response.text().catch((error: unknown) => {
          // An answer that had begun is not asked for again by what sends.
          const isWorthIt = request.method === "GET" && reading < READINGS && error instanceof CliError && error.code === "UNAVAILABLE";
          if (!isWorthIt) throw error;
        });
        if (text === undefined) continue;
        if (response.status < 400) return readJson(text, host);
        throw readApiError(response.status, text, host, { ...place, account }, retryAfter(response) / 1000);
      }
    },
  };
}

/** The JSON of an answer that is none of an error; UNAVAILABLE for anything else, as a page. */
export function readJson(text: string, host: string): unknown {
  if (text === "") return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new CliError("UNAVAILABLE", `${host} answers with something else than Google's API does.`, {
      hint: "Does a proxy answer in its place?",
      cause,
    });
  }
}

/** What an answer of 400 or above means; `wait` is the seconds that its Retry-After says. https://cloud.google.com/apis/design/errors */
export function readApiError(status: number, text: string, host: string, facts: Omit<Facts, "sentence">, wait = 0): CliError {
  const { message = readPage(text), code = "", details: more } = readError(text);
  const cause = new Error(`${host} answered ${status}: ${text.slice(0, 2000)}`);
  if (status === 401)
    return new CliError("CREDENTIALS_INVALID", `${host} does not accept the credentials: ${message}`, {
      hint: "Name another key file in GOOGLE_APPLICATION_CREDENTIALS.",
      cause,
    });
  const details = { status, ...(wait > 0 && { retry_after: wait }) };
  if (status === 429) return quotaSpent(facts.project, message, { cause, details, retryAfterSeconds: wait });
  if (BUSY.includes(status))
    return new CliError("UNAVAILABLE", `${host} answered ${status}: ${message}`, {
      hint: "Run the command again in a minute.",
      cause,
      retryAfterSeconds: wait,
      details,
    });
  const said = `${code}: ${message} ${more ? JSON.stringify(more) : ""}`;
  const known = explainControlPlane(said, { ...facts, sentence: message }, cause);
  return known ?? new CliError(BY_STATUS[status] ?? "GCLOUD_FAILED", `${host} answered ${status}: ${message}`, { cause });
}

/** Why a revision did not become ready. */
export function failedWith(message: string, { project, region }: Place): CliError {
  return explainControlPlane(message, { project, region, sentence: message }) ?? new CliError("DEPLOY_FAILED", message);
}

const BY_STATUS: Readonly<Record<number, "NOT_FOUND" | "PERMISSION_DENIED" | "CONFLICT">> = {
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "CONFLICT",
};

/** What there is of an answer that is no error of an API; a page is for people's eyes. */
function readPage(text: string): string {
  return /^\s*</.test(text) ? "with a page instead of an answer." : text.slice(0, 200);
}

function readError(text: string): { message?: string; code?: string; details?: unknown } {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string; status?: string; details?: unknown } };
    return { message: error?.message, code: error?.status, details: error?.details };
  } catch {
    return {};
  }
}
