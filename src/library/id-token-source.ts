import { readClaims } from "../auth/jwt.ts";

const MIN_LIFETIME_MS = 300_000;
/** Enough to send a request with the old token if no new one can be fetched. */
const MIN_USABLE_MS = 10_000;

interface GivenToken {
  readonly token: string;
  /** True if it was fetched for this caller. */
  readonly isNew: boolean;
}

export interface IdTokenSource {
  /** A token that is valid for five minutes more. Concurrent callers share one request. Throws as `fetchToken` does. */
  get(): Promise<GivenToken>;
  /** Drops a rejected token. */
  forget(token: string): void;
}

/** Caches an ID token as long as it is valid. `now` is in milliseconds since the epoch. */
export function openIdTokenSource(fetchToken: () => Promise<string>, now: () => number = Date.now): IdTokenSource {
  let cached: { readonly token: string; readonly expires: number } | undefined;
  let pending: Promise<string> | undefined;

  async function fetchAndCache(): Promise<string> {
    const token = await fetchToken();
    cached = { token, expires: expiryOf(token, now()) };
    return token;
  }

  return {
    async get() {
      if (cached && cached.expires - now() > MIN_LIFETIME_MS) return { token: cached.token, isNew: false };
      pending ??= fetchAndCache().finally(() => (pending = undefined));
      try {
        return { token: await pending, isNew: true };
      } catch (error) {
        // The token endpoint can be down for a moment while the old token is still valid.
        if (cached && cached.expires - now() > MIN_USABLE_MS) return { token: cached.token, isNew: false };
        throw error;
      }
    },
    forget(token) {
      if (cached?.token === token) cached = undefined;
    },
  };
}

/** By this machine's clock or by the token's lifetime, whichever is earlier: the clock can be behind Google's. */
function expiryOf(token: string, now: number): number {
  const { exp, iat } = readClaims(token) ?? {};
  if (typeof exp !== "number" || typeof iat !== "number") return now;
  return Math.min(exp * 1000, now + (exp - iat) * 1000);
}
