import { CliError } from "../errors/cli-error.ts";
import { pause } from "../http/poll.ts";
import type { Retry } from "../http/request.ts";
import type { AuthContext } from "./auth-context.ts";
import type { AccessToken } from "./credentials.ts";
import { createAssertion, type RequestedToken } from "./assertion.ts";
import type { ServiceAccountKey } from "./service-account-key.ts";
import { parseTokenUri } from "./google-hosts.ts";
import { explainTokenRefusal } from "./token-refusal.ts";
import { parseJsonObject, type JsonObject } from "./json-object.ts";

const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";

const TIMEOUT_MS = 30_000;

/** Exchanging an assertion twice is harmless: it yields two tokens. */
const RETRY = { times: 3, statuses: [429, 503], evenIfNotIdempotent: true } satisfies Retry;

/**
 * Fetches an ID token for an audience. Throws CliError: CREDENTIALS_INVALID if the key can't sign or names an unknown token endpoint,
 * TOKEN_REFUSED or CLOCK_SKEW if the endpoint refuses, UNAVAILABLE or TIMEOUT if it doesn't work.
 */
export async function fetchIdTokenWithKey(key: ServiceAccountKey, audience: string, context: AuthContext): Promise<string> {
  const { id_token } = await exchangeAssertion(key, { target_audience: audience }, context);
  if (typeof id_token === "string" && id_token !== "") return id_token;
  throw new CliError("TOKEN_REFUSED", `${new URL(key.token_uri).host} returned no ID token.`, {
    hint: `"${audience}" might not be a valid audience.`,
  });
}

/** Fetches an access token for Google's APIs. Throws as `fetchIdTokenWithKey` does. */
export async function fetchAccessTokenWithKey(key: ServiceAccountKey, context: AuthContext): Promise<AccessToken> {
  const { now = Date.now } = context;
  const requested = now() / 1000;
  const { access_token, expires_in } = await exchangeAssertion(key, { scope: CLOUD_PLATFORM }, context);
  if (typeof access_token !== "string" || access_token === "")
    throw new CliError("TOKEN_REFUSED", `${new URL(key.token_uri).host} returned no access token.`);
  return { token: access_token, expires: Math.floor(requested) + (typeof expires_in === "number" ? expires_in : 0) };
}

/**
 * Exchanges an assertion for a token: RFC 6749, section 4.5, with the grant of RFC 7523. Tries once more if the response isn't one of a
 * token endpoint, or is cut off: Google's endpoint sometimes fails that way.
 */
async function exchangeAssertion(
  key: ServiceAccountKey,
  token: RequestedToken,
  { send, env, now = Date.now }: AuthContext,
): Promise<JsonObject> {
  const url = parseTokenUri(key, env);
  for (let attempt = 1; ; attempt += 1) {
    const body = new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: createAssertion(key, token, now() / 1000),
    }).toString();
    const response = await send({
      method: "POST",
      url: url.href,
      headers: [["Content-Type", "application/x-www-form-urlencoded"]],
      body,
      timeoutMs: TIMEOUT_MS,
      signal: AbortSignal.timeout(2 * TIMEOUT_MS),
      retry: RETRY,
    });
    const { status } = response;
    const isOverloaded = RETRY.statuses.includes(status);
    const fields = await response.text().then(parseJsonObject, (error: CliError) => {
      if (attempt === 2 || error.code !== "UNAVAILABLE") throw error;
      return undefined;
    });
    if (fields && status === 200) return fields;
    if (fields && status < 500 && !isOverloaded && typeof fields["error"] === "string" && fields["error"] !== "internal_failure") {
      throw explainTokenRefusal(fields, { key, host: url.host, date: response.headers["date"], now: now() });
    }
    if (attempt === 2 || isOverloaded)
      throw new CliError("UNAVAILABLE", `${url.host} keeps returning ${status} and doesn't respond like a token endpoint.`, {
        details: { host: url.host, status_code: status },
      });
    await pause(250 + Math.random() * 250);
  }
}
