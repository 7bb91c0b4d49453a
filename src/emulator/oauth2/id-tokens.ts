import type { Runtime } from "../runtime.ts";
import { isSignedBy, parseJwt, type Jwt } from "./jwt.ts";
import type { User } from "./login.ts";

export const ISSUER = "https://accounts.google.com";
const LIFETIME = 3600;

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
  return signingKeys.sign({
    aud: options.audience,
    azp: options.azp,
    ...email,
    exp: iat + LIFETIME,
    iat,
    iss: ISSUER,
    sub: account.uniqueId,
  });
}

/** The token's parts where the issuer signed it and it has not expired at `now` (milliseconds); undefined otherwise. Its audience is the reader's to check. */
export async function verifyIdToken({ signingKeys, now }: Pick<Runtime, "signingKeys" | "now">, token: string): Promise<Jwt | undefined> {
  const jwt = parseJwt(token);
  if (!jwt) return undefined;
  const issuer = await signingKeys.issuer();
  const { iss, exp } = jwt.claims;
  const isGood =
    jwt.header["kid"] === issuer.keyId &&
    isSignedBy(jwt, issuer.publicKey) &&
    iss === ISSUER &&
    typeof exp === "number" &&
    exp * 1000 > now();
  return isGood ? jwt : undefined;
}
