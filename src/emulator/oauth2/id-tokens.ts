import type { KeyObject } from "node:crypto";
import type { Runtime } from "../runtime.ts";
import { isSignedBy, parseJwt, type Jwt } from "./jwt.ts";
import type { KeyPair } from "./key-pair.ts";
import type { User } from "./users.ts";

export const ISSUER = "https://accounts.google.com";
const LIFETIME_SECONDS = 3600;

interface IdTokenOptions {
  readonly audience: string;
  readonly includeEmail: boolean;
  /** The authorized party: the account's email address or unique id, or the client that a person signed in with. */
  readonly azp: string;
}

/** An ID token for a service account or a person, valid for an hour from `now`: https://cloud.google.com/docs/authentication/token-types#id */
export function issueIdToken(
  { signingKeys, now }: Pick<Runtime, "signingKeys" | "now">,
  account: User,
  options: IdTokenOptions,
): Promise<string> {
  const iat = Math.floor(now() / 1000);
  const email = options.includeEmail ? { email: account.email, email_verified: true } : {};
  return signingKeys.signIdToken({
    aud: options.audience,
    azp: options.azp,
    ...email,
    exp: iat + LIFETIME_SECONDS,
    iat,
    iss: ISSUER,
    sub: account.uniqueId,
  });
}

/** Tokens that a key has signed, the most recent last. A signature stays valid, and nothing else about a token is cached. */
const verifiedTokens = new WeakMap<KeyObject, Map<string, Jwt>>();
const MAX_CACHED_TOKENS = 1000;
/** Google's tokens are shorter. */
const MAX_CACHED_TOKEN_LENGTH = 8192;

/** The token's parts if the issuer signed it and it hasn't expired; otherwise undefined. The caller must check its audience. */
export async function verifyIdToken({ signingKeys, now }: Pick<Runtime, "signingKeys" | "now">, token: string): Promise<Jwt | undefined> {
  const jwt = parseSigned(token, await signingKeys.issuerKey());
  const { iss, exp } = jwt?.claims ?? {};
  const isValid = iss === ISSUER && typeof exp === "number" && exp * 1000 > now();
  return isValid ? jwt : undefined;
}

/** The parts of a token that a key has signed; cached, since verifying a signature takes longer than anything else in a request. */
function parseSigned(token: string, { keyId, publicKey }: Pick<KeyPair, "keyId" | "publicKey">): Jwt | undefined {
  const cache = verifiedTokens.get(publicKey) ?? new Map<string, Jwt>();
  verifiedTokens.set(publicKey, cache);
  const cached = cache.get(token);
  if (cached) return cached;
  const jwt = parseJwt(token);
  if (jwt?.header["kid"] !== keyId || !isSignedBy(jwt, publicKey)) return undefined;
  if (token.length > MAX_CACHED_TOKEN_LENGTH) return jwt;
  cache.set(token, jwt);
  if (cache.size > MAX_CACHED_TOKENS) cache.delete(cache.keys().next().value as string);
  return jwt;
}
