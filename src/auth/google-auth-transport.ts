import { Agent } from "node:https";
import { CliError } from "../errors/cli-error.ts";
import { redact } from "../errors/redact.ts";
import type { Request, Send } from "../http/request.ts";
import { toOneLine } from "../errors/one-line.ts";
import { isJsonObject, parseJsonObject, type JsonObject } from "./json-object.ts";
import type { AccessToken } from "./credentials.ts";
import type { AuthClient } from "google-auth-library";

/** What a Google endpoint says when it refuses a token. */
export interface TokenRefusal {
  readonly host: string;
  readonly status: number;
  /** OAuth's error code (RFC 6749, section 5.2), or a Google API's status. */
  readonly error: string;
  readonly description: string;
  /** The reason in Google's ErrorInfo. */
  readonly reason: string;
  readonly permission: string;
}

const TIMEOUT_MS = 30_000;
const STATUSES_WITHOUT_BODY = new Set([204, 205, 304]);

/** Options that make a client of google-auth-library send its requests with our HTTP client, so that proxies and the emulator work. */
export function transportOptions(send: Send): { fetchImplementation: typeof fetch; agent: Agent } {
  return {
    // Never used. Without it, the library creates agents for the proxies that it finds in the environment.
    agent: new Agent(),
    fetchImplementation: async (input, { method = "GET", headers, body } = {}) => {
      const request: Request = {
        method,
        url: String(input),
        headers: [...new Headers(headers)],
        ...(body && { body: Buffer.isBuffer(body) ? body : String(body as string | URLSearchParams) }),
        timeoutMs: TIMEOUT_MS,
      };
      const response = await send(request).catch((error: unknown) => {
        // The library doesn't retry errors with this code.
        const isTransient = error instanceof CliError && error.code === "UNAVAILABLE";
        throw isTransient ? error : Object.assign(new Error("not retried", { cause: error }), { code: "AbortError" });
      });
      const bytes = await response.bytes();
      return new Response(STATUSES_WITHOUT_BODY.has(response.status) ? null : new Uint8Array(bytes), {
        status: response.status,
        headers: response.headers,
      });
    },
  };
}

/**
 * Lets google-auth-library get something from a URL. Throws CliError: the HTTP client's own if the network fails, UNAVAILABLE if the
 * endpoint fails, and what `explain` returns if it refuses.
 */
export async function callGoogleAuthLibrary<T>(
  url: string,
  work: () => Promise<T>,
  explain: (refusal: TokenRefusal) => CliError,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toCliError(error, new URL(url).host, explain);
  }
}

function toCliError(error: unknown, asked: string, explain: (refusal: TokenRefusal) => CliError): CliError {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof CliError) return cause;
    const { response, config } = cause as Error & { response?: { status: number; data?: unknown }; config?: { url?: string | URL } };
    if (!response) continue;
    const host = config?.url ? new URL(String(config.url)).host : asked;
    const refusal = readTokenRefusal(host, response.status, response.data);
    if (response.status < 500 && response.status !== 429) return explain(refusal);
    return new CliError("UNAVAILABLE", `${host} keeps returning ${response.status}.`, { details: { host, status_code: response.status } });
  }
  // The library's message can contain the credential.
  const cause = new Error(redact(error instanceof Error ? error.message : String(error)));
  return new CliError("TOKEN_REFUSED", `${asked} returned no token.`, { cause });
}

/** Reads an error response of OAuth (RFC 6749, section 5.2) or a Google API (https://cloud.google.com/apis/design/errors). */
export function readTokenRefusal(host: string, status: number, data: unknown): TokenRefusal {
  const fields = typeof data === "string" ? (parseJsonObject(data) ?? {}) : asObject(data);
  const { error } = fields;
  if (typeof error !== "object") {
    return {
      host,
      status,
      error: toOneLine(error),
      description: toOneLine(fields["error_description"]),
      reason: toOneLine(fields["error_subtype"]),
      permission: "",
    };
  }
  const { message, status: code, details } = asObject(error);
  const info = Array.isArray(details) ? asObject(details.find((detail) => "reason" in asObject(detail))) : {};
  return {
    host,
    status,
    error: toOneLine(code),
    description: toOneLine(message),
    reason: toOneLine(info["reason"]),
    permission: toOneLine(asObject(info["metadata"])["permission"]),
  };
}

function asObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** Gets an access token from a client of the library. Throws what `callGoogleAuthLibrary` does. */
export async function fetchLibraryAccessToken(
  url: string,
  client: () => Promise<Pick<AuthClient, "getAccessToken" | "credentials">>,
  explain: (refusal: TokenRefusal) => CliError,
): Promise<AccessToken> {
  return callGoogleAuthLibrary(
    url,
    async () => {
      const opened = await client();
      const { token } = await opened.getAccessToken();
      if (!token) throw new CliError("TOKEN_REFUSED", `${new URL(url).host} returned no token.`);
      return { token, expires: Math.floor((opened.credentials.expiry_date ?? 0) / 1000) };
    },
    explain,
  );
}

/** What the endpoint says, to the end of a sentence. */
export function describeTokenRefusal({ status, error, description }: TokenRefusal): string {
  return description ? `${description.replace(/\.$/, "")} (${error})` : error || `status ${status}`;
}
