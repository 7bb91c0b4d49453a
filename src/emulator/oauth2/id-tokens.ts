import type { KeyObject } from "node:crypto";
import type { Runtime } from "../runtime.ts";
import { isSignedBy, parseJwt, type Jwt } from "./jwt.ts";
import type { KeyPair } from "./key-pair.ts";
import type { User } from "./login.ts";

export const ISSUER = "https://accounts.google.com";
const LIFETIME_SECONDS = 3600;

interface IdTokenOptions {
  readonly audience: string;
  readonly includeEmail: boolean;
  /** The authorized party: the account's e-mail address or unique id, or the client that a person signed in with. */
  readonly azp: string;
}

/** An ID token for a service account or a person, for an hour from `now`: https://cloud.google.com/docs/authentication/token-types#id */
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

/** Tokens that a key is known to have signed, the last one at the end: it cannot become untrue, and is all that is remembered of a token. */
const verifiedTokens = new WeakMap<KeyObject, Map<string, Jwt>>();
const MAX_CACHED_TOKENS = 1000;
/** Characters; Google's tokens have fewer. */
const MAX_CACHED_TOKEN_LENGTH = 8192;

/** The token's parts where the issuer signed it and it has not expired at `now` (milliseconds); undefined otherwise. Its audience is the reader's to check. */
export async function verifyIdToken({ signingKeys, now }: Pick<Runtime, "signingKeys" | "now">, token: string): Promise<Jwt | undefined> {
  const jwt = parseSigned(token, await signingKeys.issuerKey());
  const { iss, exp } = jwt?.claims ?? {};
  const isGood = iss === ISSUER && typeof exp === "number" && exp * 1000 > now();
  return isGood ? jwt : undefined;
}

/** The parts of a token that a key has signed: to verify the same signature for each call would take longest of all. */
function parseSigned(token: string, { keyId, publicKey }: Pick<KeyPair, "keyId" | "publicKey">): Jwt | undefined {
  const known = verifiedTokens.get(publicKey) ?? new Map<string, Jwt>();
  verifiedTokens.set(publicKey, known);
  const remembered = known.get(token);
  if (remembered) return remembered;
  const jwt = parseJwt(token);
  if (jwt?.header["kid"] !== keyId || !isSignedBy(jwt, publicKey)) return undefined;
  if (token.length > MAX_CACHED_TOKEN_LENGTH) return jwt;
  known.set(token, jwt);
  if (known.size > MAX_CACHED_TOKENS) known.delete(known.keys().next().value as string);
  return jwt;
}
