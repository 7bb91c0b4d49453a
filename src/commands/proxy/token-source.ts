import { readClaims } from "../../auth/jwt.ts";
import type { CachedCredentials } from "../../auth/token-cache.ts";

/** The current ID token for one audience. */
export interface TokenSource {
  /** The cached token, or a promise of a new one; throws, or rejects, as the credentials do. */
  get(): string | Promise<string>;
  /** Records that Cloud Run accepted a token. */
  accepted(token: string): void;
  /** Drops a token that Cloud Run's front end rejected. True if a new one can succeed. */
  rejected(token: string): boolean;
  /** When the cached token expires, in milliseconds since the epoch. */
  expires(): number;
  close(): void;
}

/** This long before a token expires, it is renewed in the background. */
const BACKGROUND_RENEWAL_MS = 10 * 60_000;
/** This long before a token expires, requests wait for a new one. */
const BLOCKING_RENEWAL_MS = 30_000;
/** The pause between two checks, which come late if the machine has slept. */
const CHECK_INTERVAL_MS = 20_000;

/** Keeps a token for an audience current, so that only the first request waits for one. */
export function openTokenSource(
  credentials: Pick<CachedCredentials, "accepted" | "fetchIdToken" | "rejected">,
  audience: string,
): TokenSource {
  let cached: string | undefined;
  let expires = 0;
  let nextCheck = 0;

  const fetch = async (): Promise<string> => {
    const token = await credentials.fetchIdToken(audience);
    if (token === cached) return token;
    const { exp } = readClaims(token) ?? {};
    cached = token;
    expires = typeof exp === "number" ? exp * 1000 : 0;
    return token;
  };
  const get = (): string | Promise<string> => {
    const now = Date.now();
    if (cached === undefined || now > expires - BLOCKING_RENEWAL_MS) return fetch();
    if (now > expires - BACKGROUND_RENEWAL_MS && now > nextCheck) {
      nextCheck = now + CHECK_INTERVAL_MS;
      // A failure in the background is retried, at last while a request waits, which reports it.
      fetch().catch(() => {});
    }
    return cached;
  };
  const timer = setInterval(() => {
    if (cached !== undefined && Date.now() > expires - BACKGROUND_RENEWAL_MS) fetch().catch(() => {});
  }, CHECK_INTERVAL_MS);
  timer.unref();

  return {
    get,
    accepted: (token) => credentials.accepted(token),
    rejected(token) {
      const canRenew = credentials.rejected(audience, token);
      if (cached === token) cached = undefined;
      return canRenew;
    },
    expires: () => expires,
    close: () => clearInterval(timer),
  };
}
