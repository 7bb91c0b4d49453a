import { createHash } from "node:crypto";
import { CliError } from "../errors/cli-error.ts";
import type { Credentials } from "./credentials.ts";
import { readClaims } from "./jwt.ts";
import { openTokenStore, tokenCacheFolder, type CachedToken, type TokenStore } from "./token-cache-files.ts";

export interface CacheOptions {
  /** `--min-ttl`: how long a token must remain valid. */
  readonly minTtlMs?: number;
  /** False under `--no-cache`: tokens are neither read from disk nor written. */
  readonly cache?: boolean;
  /** True if the process runs for hours: a token that is about to expire is still used while the next one is fetched. */
  readonly isLongRun?: boolean;
}

/** Credentials whose ID tokens are cached, for this process and later ones. */
export interface CachedCredentials extends Credentials {
  /** Remembers that Cloud Run has accepted a token. */
  accepted(token: string): void;
  /** Drops a rejected token. True if it had been accepted before, or wasn't fetched just now: a fresh one can be accepted. */
  rejected(audience: string, token: string): boolean;
}

interface CacheContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

interface MemoryToken extends CachedToken {
  /** When this process fetched it, in milliseconds since the epoch; undefined if another one did. */
  readonly fetched?: number;
}

const MINUTE_MS = 60_000;
const DEFAULT_MIN_TTL_MS = 5 * MINUTE_MS;
/** Enough to send a request. */
const MIN_USABLE_MS = 10_000;
const RENEW_AHEAD_MS = 5 * MINUTE_MS;
const RENEWAL_PAUSE_MS = MINUTE_MS / 2;

/**
 * Caches ID tokens in memory and in the user's cache folder, by a hash of the credentials, the audience and the emulator: Google must never
 * see the emulator's tokens. Access tokens aren't cached: they give access to everything that the account can do. Throws as
 * `credentials` does, and TOKEN_REFUSED if even a new token isn't valid for `minTtlMs`.
 */
export function withCache(credentials: Credentials, { env, now = Date.now }: CacheContext, options: CacheOptions = {}): CachedCredentials {
  const { minTtlMs = DEFAULT_MIN_TTL_MS, cache = true, isLongRun = false } = options;
  const folder = cache ? tokenCacheFolder(env) : undefined;
  const store: TokenStore | undefined = folder === undefined ? undefined : openTokenStore(folder);
  const memory = new Map<string, MemoryToken>();
  const acceptedTokens = new Set<string>();
  const renewals = new Map<string, Promise<MemoryToken>>();
  let pausedUntil = 0;

  const keyOf = (audience: string): string =>
    createHash("sha256")
      .update(JSON.stringify([env.CLOUDRUN_OAUTH_EMULATOR ?? "", audience, ...credentials.identity]))
      .digest("hex");
  const remainingMs = ({ expires }: CachedToken): number => expires * 1000 - now();

  const fetchNew = async (audience: string): Promise<MemoryToken> => {
    const token = await credentials.fetchIdToken(audience);
    const { exp, iat } = readClaims(token) ?? {};
    const cached = { token, audience, expires: typeof exp === "number" ? exp : 0 };
    // The local clock can be behind: no token is used for longer than its lifetime.
    const latest = typeof iat === "number" ? now() / 1000 + cached.expires - iat : cached.expires;
    const held = { ...cached, expires: Math.min(cached.expires, latest), fetched: now() };
    memory.set(audience, held);
    if (remainingMs(cached) > 0) store?.write(keyOf(audience), cached);
    return held;
  };
  const renew = (audience: string): Promise<MemoryToken> => {
    const known = renewals.get(audience);
    if (known) return known;
    const renewal = fetchNew(audience).finally(() => renewals.delete(audience));
    renewals.set(audience, renewal);
    return renewal;
  };
  const findCached = (audience: string): MemoryToken | undefined => {
    const held = memory.get(audience);
    if (held && remainingMs(held) >= minTtlMs) return held;
    const stored = store?.read(keyOf(audience));
    if (!stored || stored.audience !== audience || remainingMs(stored) < minTtlMs || readClaims(stored.token)?.exp !== stored.expires)
      return undefined;
    memory.set(audience, stored);
    return stored;
  };
  const renewAhead = (audience: string): void => {
    if (now() < pausedUntil) return;
    pausedUntil = now() + RENEWAL_PAUSE_MS;
    // A failure in the background is retried later, and in the end in the foreground, which reports it.
    renew(audience).catch(() => {});
  };

  return {
    ...credentials,
    async fetchIdToken(audience) {
      const held = findCached(audience);
      if (held) {
        if (isLongRun && remainingMs(held) < minTtlMs + RENEW_AHEAD_MS) renewAhead(audience);
        return held.token;
      }
      const renewed = await renew(audience).catch((error: unknown) => {
        // The token endpoint can be down for a moment while the old token is still valid.
        const old = memory.get(audience);
        if (old && remainingMs(old) > MIN_USABLE_MS && options.minTtlMs === undefined) return old;
        throw error;
      });
      if (options.minTtlMs !== undefined) assertRemaining(remainingMs(renewed), options.minTtlMs);
      return renewed.token;
    },
    accepted: (token) => void acceptedTokens.add(token),
    rejected(audience, token) {
      const held = memory.get(audience);
      if (held?.token === token) memory.delete(audience);
      const key = keyOf(audience);
      // Another process can have written a newer one.
      if (store?.read(key)?.token === token) store.remove(key);
      return acceptedTokens.has(token) || held?.token !== token || held.fetched === undefined || now() - held.fetched > MINUTE_MS;
    },
  };
}

function assertRemaining(left: number, wanted: number): void {
  // The local clock can be slightly ahead.
  if (left >= wanted - MINUTE_MS) return;
  const minutes = (milliseconds: number): string => `${Math.max(0, Math.floor(milliseconds / MINUTE_MS))} min`;
  throw new CliError(
    "TOKEN_REFUSED",
    `Can't get an ID token that is valid for ${minutes(wanted)}: a new one is valid for ${minutes(left)}.`,
    {
      hint: "Use a shorter --min-ttl. A metadata server can return a token that it fetched earlier.",
    },
  );
}
