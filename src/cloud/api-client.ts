import type { Credentials } from "../auth/credentials.ts";
import type { AccessToken } from "../auth/exchange.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import type { Response } from "../request.ts";
import type { Place } from "./cloud.ts";
import { explainControlPlane, type Facts } from "./control-plane-errors.ts";
import { findOperatorCredentials } from "./operator-credentials.ts";

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly body?: unknown;
  /** Bytes that are sent as they are, instead of a JSON body. */
  readonly bytes?: Buffer;
  readonly headers?: readonly (readonly [string, string])[];
}

/** The request in one line, for `--dry-run`. */
export function requestLine({ method, url, body }: ApiRequest): string {
  return `${method} ${url}${body === undefined ? "" : ` ${JSON.stringify(body)}`}`;
}

export interface ApiClient {
  /** The answer's JSON. Throws what Google's error means. */
  call(request: ApiRequest): Promise<unknown>;
  /** The answer as it comes, whatever its status. */
  send(request: ApiRequest): Promise<Response>;
}

/** Google's APIs under the account that the control plane is used as, unless other credentials are given. */
export function openApiClient(
  context: Pick<Context, "env" | "settings" | "send">,
  place: Place,
  find: () => Promise<Credentials> = () => findOperatorCredentials(context),
): ApiClient {
  let token: Promise<AccessToken> | undefined;
  let account: string | undefined;

  async function authorization(): Promise<string> {
    const asked = (token ??= fetchOperatorToken());
    const known = await asked;
    // A minute before it ends it is not begun with any more; whoever comes to see it first fetches the next one for all.
    if (known.expires < Date.now() / 1000 + 60 && token === asked) token = fetchOperatorToken();
    return `Bearer ${(await token).token}`;
  }

  async function fetchOperatorToken(): Promise<AccessToken> {
    const credentials = await find();
    account = credentials.principal?.replace(/^.*?:/, "");
    return credentials.fetchAccessToken();
  }

  async function send({ method, url, body, bytes, headers = [] }: ApiRequest): Promise<Response> {
    const json = body === undefined ? undefined : JSON.stringify(body);
    const type: [string, string][] = json === undefined ? [] : [["Content-Type", "application/json"]];
    return context.send({
      method,
      url,
      headers: [["Authorization", await authorization()], ...type, ...headers],
      body: bytes ?? json,
      timeout: 60_000,
      ...(method === "GET" && { retry: { times: 3, statuses: BUSY } }),
    });
  }

  return {
    send,
    async call(request) {
      const response = await send(request);
      const text = await response.text();
      if (response.status < 400) return text === "" ? {} : JSON.parse(text);
      throw readApiError(response.status, text, new URL(request.url).host, { ...place, account });
    },
  };
}

/** What passes by itself: a quota that is spent, an API that is not there for the moment. */
const BUSY = [429, 503];

/** What an answer of 400 or above means. https://cloud.google.com/apis/design/errors */
export function readApiError(status: number, text: string, host: string, facts: Omit<Facts, "sentence">): CliError {
  const { message = text.slice(0, 200), code = "", details } = readError(text);
  const cause = new Error(`${host} answered ${status}: ${text.slice(0, 2000)}`);
  if (status === 401)
    return new CliError("CREDENTIALS_INVALID", `${host} does not accept the credentials: ${message}`, {
      hint: "Name another key file in GOOGLE_APPLICATION_CREDENTIALS.",
      cause,
    });
  if (BUSY.includes(status))
    return new CliError("UNAVAILABLE", `${host} answered ${status}: ${message}`, { hint: "Run the command again in a minute.", cause });
  const known = explainControlPlane(
    `${code}: ${message} ${details ? JSON.stringify(details) : ""}`,
    { ...facts, sentence: message },
    cause,
  );
  return (
    known ??
    new CliError(BY_STATUS[status] ?? (status >= 500 ? "UNAVAILABLE" : "GCLOUD_FAILED"), `${host} answered ${status}: ${message}`, {
      cause,
    })
  );
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

function readError(text: string): { message?: string; code?: string; details?: unknown } {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string; status?: string; details?: unknown } };
    return { message: error?.message, code: error?.status, details: error?.details };
  } catch {
    return {};
  }
}
