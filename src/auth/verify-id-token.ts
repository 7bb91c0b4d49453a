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
    throw new CliError("USAGE", "An ID token is verified for an audience, and none is said.", {
      hint: "Say the service's URL in the option audience.",
    });
  }
  const claims = await verifySignature(token, findKey);
  assertClaims(claims, audiences);
  const time = now() / 1000;
  if (claims.exp <= time - clockTolerance)
    throw tokenError("EXPIRED", `The ID token expired at ${formatTime(claims.exp)}.`, "The caller has to get a new one.");
  const begin = Math.max(claims.iat, typeof claims["nbf"] === "number" ? claims["nbf"] : 0);
  if (begin > time + clockTolerance)
    throw tokenError(
      "NOT_YET_VALID",
      `The ID token begins to hold at ${formatTime(begin)} only, by this machine's clock.`,
      "Set this machine's clock.",
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
      "Google removed the signature of this ID token: Cloud Run's front end has verified it, and nobody can a second time.",
      "Read its claims as they are, as long as the service is private; a public one gets tokens with their signature.",
    );
  }
  // RFC 8725, section 3.1: never the algorithm that the token itself names. RFC 7515, section 4.1.11: no extension is supported.
  if (header["alg"] !== "RS256" || "crit" in header)
    throw tokenError("WRONG_ALGORITHM", "The token is not signed by RS256, as all of Google's ID tokens are.");
  const key = typeof header["kid"] === "string" ? await findKey(header["kid"]) : undefined;
  if (!key)
    throw tokenError(
      "UNKNOWN_KEY",
      "The token is signed by none of Google's keys for ID tokens.",
      "Is it a token of another issuer, or of an emulator?",
    );
  if (!isSignedWith(key, token))
    throw tokenError("WRONG_SIGNATURE", "The ID token's signature is not Google's: it was changed, or made up.");
  return claims;
}

function assertClaims(claims: IdTokenClaims, audiences: readonly string[]): asserts claims is VerifiedClaims {
  const { iss, aud, sub, iat, exp, email, email_verified: isVerified } = claims;
  if (typeof iss !== "string" || !GOOGLE_ISSUERS.includes(iss))
    throw tokenError("WRONG_ISSUER", `The ID token's issuer is ${quoteClaim(iss)}, and not ${GOOGLE_ISSUERS[0]}.`);
  if (typeof aud !== "string" || !audiences.includes(aud)) {
    throw tokenError(
      "WRONG_AUDIENCE",
      `The ID token is for ${quoteClaim(aud)}, and not for ${audiences.join(" or ")}.`,
      `The caller asks for one with the audience ${audiences[0]}`,
    );
  }
  if (typeof exp !== "number" || typeof iat !== "number" || typeof sub !== "string")
    throw tokenError("MALFORMED", "The ID token lacks one of the claims exp, iat and sub.");
  if (email !== undefined && (typeof email !== "string" || isVerified !== true))
    throw tokenError("EMAIL_NOT_VERIFIED", "The ID token names an e-mail address that Google has not verified.");
}

function malformedToken(token: unknown): CliError {
  const hint = /^bearer\s/i.test(String(token))
    ? 'It is what follows "Bearer " in the header.'
    : "An access token is none: the caller sends what cloudrun-oauth token prints.";
  return tokenError("MALFORMED", "What was given is no ID token, which is three texts in base64url with points between them.", hint);
}

/** A claim from an unknown sender, as part of one line. */
function quoteClaim(claim: unknown): string {
  return typeof claim === "string" ? toOneLine(claim, 200) : "nobody in particular";
}

function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

function tokenError(reason: TokenFault, message: string, hint?: string): CliError {
  return new CliError("CREDENTIALS_INVALID", message, { details: { reason }, ...(hint !== undefined && { hint }) });
}
