/** The claims of an ID token (OpenID Connect Core 1.0, section 2) that Google sets; none of them is verified here. */
export interface IdTokenClaims {
  readonly iss?: string;
  readonly aud?: string;
  readonly azp?: string;
  readonly sub?: string;
  readonly email?: string;
  readonly email_verified?: boolean;
  /** Seconds since the epoch. */
  readonly iat?: number;
  readonly exp?: number;
  readonly [name: string]: unknown;
}

/** Reads the claims of a token without verifying it; undefined where it is no JWT. */
export function readClaims(token: string): IdTokenClaims | undefined {
  const segments = token.split(".");
  if (segments.length !== 3) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(segments[1] as string, "base64url").toString("utf8"));
    return typeof claims === "object" && claims !== null && !Array.isArray(claims) ? (claims as IdTokenClaims) : undefined;
  } catch {
    return undefined;
  }
}

/** A principal as policies name it: `serviceAccount:…` or `user:…`. */
export function principalForEmail(email: string): string {
  return `${email.endsWith(".gserviceaccount.com") ? "serviceAccount" : "user"}:${email}`;
}

/** Whose a token is, by its e-mail address, without verifying it. */
export function principalOfToken(token: string): string | undefined {
  const { email } = readClaims(token) ?? {};
  return typeof email === "string" ? principalForEmail(email) : undefined;
}
