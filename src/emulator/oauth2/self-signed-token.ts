import { X509Certificate } from "node:crypto";
import type { AccessToken } from "../state/resources.ts";
import type { State } from "../state/state.ts";
import { isSignedBy, parseJwt } from "./jwt.ts";

const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";
const MAX_LIFETIME_SECONDS = 3600;
/** How far the caller's clock can be ahead. */
const MAX_CLOCK_SKEW_SECONDS = 60;

/**
 * Reads a JWT that a service account's key signed, which Google's client libraries send instead of an access token:
 * https://google.aip.dev/auth/4111 It is valid for the scopes that it names, otherwise for the API whose address is its audience. `host` is
 * the API's, `now` in milliseconds. Undefined if the token isn't valid.
 */
export function readSelfSignedToken(state: State, token: string, host: string, now: number): AccessToken | undefined {
  const jwt = parseJwt(token);
  if (!jwt) return undefined;
  const { iss, sub, aud, scope, iat, exp } = jwt.claims;
  if (typeof iss !== "string" || sub !== iss || typeof iat !== "number" || typeof exp !== "number") return undefined;
  if (iat * 1000 > now + MAX_CLOCK_SKEW_SECONDS * 1000 || exp <= iat || exp - iat > MAX_LIFETIME_SECONDS) return undefined;
  const scopes = typeof scope === "string" ? scope.split(" ").filter(Boolean) : isAddressOf(host, aud) ? [CLOUD_PLATFORM] : [];
  if (scopes.length === 0) return undefined;
  const key = state.keys.get(`${iss}/${String(jwt.header["kid"])}`);
  if (!key || key.disabled || Date.parse(key.validBeforeTime) <= now) return undefined;
  return isSignedBy(jwt, new X509Certificate(key.certificate).publicKey) ? { email: iss, scopes, expires: exp } : undefined;
}

/** Whether an audience is an API's address; a region in front of the host is ignored. */
function isAddressOf(host: string, audience: unknown): boolean {
  const [, name = "\0"] = /^https:\/\/([a-z0-9.-]+)\/?$/.exec(String(audience)) ?? [];
  return host === name || host.endsWith(`-${name}`);
}
