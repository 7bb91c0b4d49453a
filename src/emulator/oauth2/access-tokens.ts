import { createHash, randomBytes } from "node:crypto";
import type { AccessToken } from "../state/resources.ts";
import type { State } from "../state/state.ts";

/** Google reports one second less than an hour, for the time in transit. */
export const ACCESS_TOKEN_SECONDS = 3599;

/** Expired tokens are removed after at least this many new ones, or as many as were left the last time. */
const MIN_TOKENS_BETWEEN_SWEEPS = 1000;
const tokensUntilSweep = new WeakMap<State, number>();

/** Creates an access token of 256 random bits; the state stores only its hash. `expires` is in seconds since the epoch. */
export function issueAccessToken(state: State, grant: AccessToken): string {
  const remaining = tokensUntilSweep.get(state) ?? MIN_TOKENS_BETWEEN_SWEEPS;
  tokensUntilSweep.set(state, remaining - 1);
  if (remaining <= 0) removeExpiredTokens(state, state.now());
  const token = `ya29.c.${randomBytes(32).toString("base64url")}`;
  state.accessTokens.set(hash(token), grant);
  return token;
}

/** The grant of an access token, even if expired; undefined if the token was never issued or was revoked. */
export function findAccessToken(state: State, token: string): AccessToken | undefined {
  return state.accessTokens.get(hash(token));
}

export function revokeAccessToken(state: State, token: string): void {
  state.accessTokens.delete(hash(token));
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** `now` is in milliseconds since the epoch. */
export function removeExpiredTokens(state: State, now: number): void {
  const keys = state.accessTokens.keys();
  const expiredKeys = keys.filter((key) => (state.accessTokens.get(key)?.expires ?? 0) * 1000 <= now);
  state.transaction(() => {
    for (const key of expiredKeys) state.accessTokens.delete(key);
  });
  tokensUntilSweep.set(state, Math.max(MIN_TOKENS_BETWEEN_SWEEPS, keys.length - expiredKeys.length));
}
