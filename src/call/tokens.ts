import type { Credentials } from "../auth/credentials.ts";
import { readClaims } from "../auth/id-token.ts";

/** The ID tokens of a run: one for each audience, until it is about to end. */
export interface Tokens {
  /** `isNew` where it was fetched for this very call. Throws as the credentials do. */
  get(audience: string): Promise<{ readonly token: string; readonly isNew: boolean }>;
  /** The token for the audience is not taken any more: the next one is fetched. */
  forget(audience: string): void;
}

/** Seconds before its end at which a token is used no more: the call has to get there. */
const MARGIN = 60;

export function createTokens(credentials: Pick<Credentials, "fetchIdToken">): Tokens {
  const known = new Map<string, { readonly token: string; readonly until: number }>();
  return {
    async get(audience) {
      const found = known.get(audience);
      if (found && found.until > Date.now() / 1000) return { token: found.token, isNew: false };
      const token = await credentials.fetchIdToken(audience);
      const { exp } = readClaims(token) ?? {};
      if (typeof exp === "number") known.set(audience, { token, until: exp - MARGIN });
      return { token, isNew: true };
    },
    forget: (audience) => void known.delete(audience),
  };
}
