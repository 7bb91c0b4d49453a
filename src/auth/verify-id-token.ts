import { CliError } from "../errors/cli-error.ts";
import { toOneLine } from "../errors/one-line.ts";
import type { FindKey } from "./google-public-keys.ts";
import { decodeJwt, GOOGLE_ISSUERS, isSignatureRemoved, isSignedWith, type IdTokenClaims } from "./jwt.ts";

export interface VerifyIdTokenOptions {
  /** The expected audience: the service's URL as its callers name it, or a list of them. */
  readonly audience: string | readonly string[];
  /** Seconds by which this machine's clock can differ from Google's. Default: 60. */
  readonly clockTolerance?: number;
}

/** The claims of an ID token with a valid signature, issuer, audience and lifetime: OpenID Connect Core 1.0, section 2. */
export interface VerifiedClaims extends IdTokenClaims {
  readonly iss: string;
  readonly aud: string;
  /** The account's unique ID, which stays the same when its email address changes. */
  readonly sub: string;
  /** Verified by Google. Missing from tokens that IAM Credentials creates without `includeEmail`. */
  readonly email?: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly exp: number;
}

/** Why a token isn't valid: `details.reason` of the error. */
export type TokenFault =
  | "MALFORMED"
  | "SIGNATURE_REMOVED"
  | "WRONG_ALGORITHM"
  | "UNKNOWN_KEY"
  | "WRONG_SIGNATURE"
  | "WRONG_ISSUER"
  | "WRONG_AUDIENCE"
  | "EXPIRED"
  | "NOT_YET_VALID"
  | "EMAIL_NOT_VERIFIED";

interface Verifier {
  readonly findKey: FindKey;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/**
 * Verifies a Google ID token and returns its claims. Throws CliError CREDENTIALS_INVALID with the TokenFault in `details.reason`, USAGE
 * without an audience, UNAVAILABLE or TIMEOUT if Google's keys can't be fetched.
 * https://cloud.google.com/docs/authentication/token-types#id · RFC 7515, section 5.2 · RFC 7519, section 7.2
 */
export async function verifyIdToken(
  token: string,
  { audience, clockTolerance = 60 }: VerifyIdTokenOptions,
  { findKey, now = Date.now }: Verifier,
): Promise<VerifiedClaims> {
  const audiences = [audience].flat().filter(Boolean);
  // With an unset environment variable as the audience, tokens for any audience must not become valid.
  if (audiences.length === 0) {
    throw new CliError("USAGE", "Missing option: audience.", { hint: "Set it to the service's URL." });
  }
  const claims = await verifySignature(token, findKey);
  assertClaims(claims, audiences);
  const time = now() / 1000;
  if (claims.exp <= time - clockTolerance) throw tokenError("EXPIRED", `The ID token expired at ${formatTime(claims.exp)}.`);
  const begin = Math.max(claims.iat, typeof claims["nbf"] === "number" ? claims["nbf"] : 0);
  if (begin > time + clockTolerance)
    throw tokenError(
      "NOT_YET_VALID",
      `The ID token isn't valid until ${formatTime(begin)}.`,
      "The clock is wrong on this computer or on the one that created the token.",
    );
  return claims;
}

async function verifySignature(token: string, findKey: FindKey): Promise<IdTokenClaims> {
  const jwt = typeof token === "string" ? decodeJwt(token) : undefined;
  if (!jwt) throw malformedToken(token);
  const { header, claims } = jwt;
  if (isSignatureRemoved(jwt)) {
    throw tokenError(
      "SIGNATURE_REMOVED",
      "Cloud Run verified this ID token and removed its signature, so it can't be verified again.",
      "In a private service, decode the claims without verifying them. In a public service, tokens keep their signature.",
    );
  }
  // RFC 8725, section 3.1: never the algorithm that the token itself names. RFC 7515, section 4.1.11: no extension is supported.
  if (header["alg"] !== "RS256" || "crit" in header)
    throw tokenError("WRONG_ALGORITHM", "The token isn't signed with RS256, as Google's ID tokens are.");
  const key = typeof header["kid"] === "string" ? await findKey(header["kid"]) : undefined;
  if (!key)
    throw tokenError(
      "UNKNOWN_KEY",
      "The ID token isn't signed with a key that Google uses for ID tokens.",
      "It might be from another issuer or from an emulator.",
    );
  if (!isSignedWith(key, token)) throw tokenError("WRONG_SIGNATURE", "The ID token's signature is invalid.");
  return claims;
}

function assertClaims(claims: IdTokenClaims, audiences: readonly string[]): asserts claims is VerifiedClaims {
  const { iss, aud, sub, iat, exp, email, email_verified: isVerified } = claims;
  if (typeof iss !== "string" || !GOOGLE_ISSUERS.includes(iss))
    throw tokenError("WRONG_ISSUER", `The ID token's issuer is ${quoteClaim(iss)}, not ${GOOGLE_ISSUERS[0]}.`);
  if (typeof aud !== "string" || !audiences.includes(aud)) {
    throw tokenError(
      "WRONG_AUDIENCE",
      `Wrong audience: the ID token is for ${quoteClaim(aud)}, not for ${audiences.join(" or ")}.`,
      `The caller must request a token with the audience ${audiences[0]}.`,
    );
  }
  if (typeof exp !== "number" || typeof iat !== "number" || typeof sub !== "string")
    throw tokenError("MALFORMED", "The ID token must have the claims exp, iat, and sub.");
  if (email !== undefined && (typeof email !== "string" || isVerified !== true))
    throw tokenError("EMAIL_NOT_VERIFIED", "The ID token's email address isn't verified.");
}

function malformedToken(token: unknown): CliError {
  const hint = /^bearer\s/i.test(String(token)) ? 'Pass the part after "Bearer " in the header.' : "An access token isn't an ID token.";
  return tokenError("MALFORMED", "Not an ID token: expected three base64url parts separated by periods.", hint);
}

/** A claim from an unknown sender, as part of one line. */
function quoteClaim(claim: unknown): string {
  return typeof claim === "string" ? toOneLine(claim, 200) : "missing";
}

function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

function tokenError(reason: TokenFault, message: string, hint?: string): CliError {
  return new CliError("CREDENTIALS_INVALID", message, { details: { reason }, hint });
}
