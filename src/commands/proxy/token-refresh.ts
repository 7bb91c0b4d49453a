import { readClaims } from "../../auth/jwt.ts";
import type { CachedCredentials } from "../../auth/token-cache.ts";

/** The ID token of a proxy, as good as any moment has it. */
export interface TokenKeeper {
  /** The token where one is at hand, and else the promise of one; it throws, or rejects, as the credentials do. */
  get(): string | Promise<string>;
  /** Says that Cloud Run has let a token in. */
  accepted(token: string): void;
  /** Drops a token that Cloud Run's front end did not take. True where the next one may do better. */
  refused(token: string): boolean;
  /** When the token that is at hand ends: milliseconds since the epoch. */
  expires(): number;
  close(): void;
}

/** Milliseconds. Within these before its end a token is renewed in the background, and at last waited for. */
const AHEAD = 10 * 60_000;
const LAST = 30_000;
/** Milliseconds between two looks at whether it is time, which come late where the machine has slept. */
const PAUSE = 20_000;

/** Keeps an audience's token at hand: what asks for it has to wait for the first one only. */
export function openTokenKeeper(
  credentials: Pick<CachedCredentials, "accepted" | "fetchIdToken" | "forget">,
  audience: string,
): TokenKeeper {
  let held: string | undefined;
  let expires = 0;
  let lookAt = 0;

  const fetch = async (): Promise<string> => {
    const token = await credentials.fetchIdToken(audience);
    if (token === held) return token;
    const { exp } = readClaims(token) ?? {};
    held = token;
    expires = typeof exp === "number" ? exp * 1000 : 0;
    return token;
  };
  const get = (): string | Promise<string> => {
    const now = Date.now();
    if (held === undefined || now > expires - LAST) return fetch();
    if (now > expires - AHEAD && now > lookAt) {
      lookAt = now + PAUSE;
      // What fails in the background is tried again, and in the end in front, where it is said.
      fetch().catch(() => {});
    }
    return held;
  };
  const timer = setInterval(() => {
    if (held !== undefined && Date.now() > expires - AHEAD) fetch().catch(() => {});
  }, PAUSE);
  timer.unref();

  return {
    get,
    accepted: (token) => credentials.accepted(token),
    refused(token) {
      const wasOld = credentials.forget(audience, token);
      if (held === token) held = undefined;
      return wasOld;
    },
    expires: () => expires,
    close: () => clearInterval(timer),
  };
}
