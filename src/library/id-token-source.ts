import { readClaims } from "../auth/jwt.ts";

/** Milliseconds that a token has to be good for. */
const MIN_LIFETIME_MS = 300_000;
/** Milliseconds for a call to get there, where no new token is to be had. */
const MIN_USABLE_MS = 10_000;

interface GivenToken {
  readonly token: string;
  /** True where it was fetched for the one who asked. */
  readonly isNew: boolean;
}

export interface IdTokenSource {
  /** A token that holds for five minutes more; whoever asks meanwhile waits for the same one. Throws as `fetchToken` does. */
  get(): Promise<GivenToken>;
  /** The token was refused: the next one is new. */
  forget(token: string): void;
}

/** Keeps an ID token for as long as it is good. `now` is in milliseconds since the epoch. */
export function openIdTokenSource(fetchToken: () => Promise<string>, now: () => number = Date.now): IdTokenSource {
  let held: { readonly token: string; readonly expires: number } | undefined;
  let coming: Promise<string> | undefined;

  async function fetchHeld(): Promise<string> {
    const token = await fetchToken();
    held = { token, expires: expiryOf(token, now()) };
    return token;
  }

  return {
    async get() {
      if (held && held.expires - now() > MIN_LIFETIME_MS) return { token: held.token, isNew: false };
      coming ??= fetchHeld().finally(() => (coming = undefined));
      try {
        return { token: await coming, isNew: true };
      } catch (error) {
        // A token endpoint that is down for a moment is no reason to fail while the old one holds.
        if (held && held.expires - now() > MIN_USABLE_MS) return { token: held.token, isNew: false };
        throw error;
      }
    },
    forget(token) {
      if (held?.token === token) held = undefined;
    },
  };
}

/** By this machine's clock or by the token's lifetime, whichever is sooner: the clock may be behind Google's. */
function expiryOf(token: string, now: number): number {
  const { exp, iat } = readClaims(token) ?? {};
  if (typeof exp !== "number" || typeof iat !== "number") return now;
  return Math.min(exp * 1000, now + (exp - iat) * 1000);
}
