import { verify, type KeyObject } from "node:crypto";
import { parseJsonObject, type JsonObject } from "./json-object.ts";

/** The claims of an ID token (OpenID Connect Core 1.0, section 2) that Google sets. */
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

export interface Jwt {
  readonly header: JsonObject;
  readonly claims: IdTokenClaims;
  /** In base64url, or whatever was put in its place. */
  readonly signature: string;
}

/** Google's issuer, in both spellings. */
export const GOOGLE_ISSUERS: readonly string[] = ["https://accounts.google.com", "accounts.google.com"];

/** What Cloud Run's front end writes in place of the signature before it forwards a token that it has verified. */
const SIGNATURE_REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE";

/** Decodes a JWT (RFC 7515, section 7.1) without verifying it; undefined if it isn't one. Claims have the type that their sender chose. */
export function decodeJwt(token: string): Jwt | undefined {
  const [head, body, signature, ...rest] = token.split(".");
  const [header, claims] = [decodeSegment(head), decodeSegment(body)];
  return header && claims && signature !== undefined && rest.length === 0 ? { header, claims, signature } : undefined;
}

/** The claims of a JWT, unverified; undefined if the token isn't one. */
export function readClaims(token: string): IdTokenClaims | undefined {
  return decodeJwt(token)?.claims;
}

/** Whether Cloud Run's front end has removed the token's signature. */
export function isSignatureRemoved({ signature }: Jwt): boolean {
  return signature === SIGNATURE_REMOVED;
}

/** Whether a key has signed a JWT, with RS256 or ES256 (RFC 7518, section 3) according to the kind of key. */
export function isSignedWith(key: KeyObject, token: string): boolean {
  const end = token.lastIndexOf(".");
  const [signed, signature] = [token.slice(0, end), token.slice(end + 1)];
  if (!/^[\w-]+$/.test(signature)) return false;
  return verify("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
}

function decodeSegment(segment = ""): JsonObject | undefined {
  return /^[\w-]+$/.test(segment) ? parseJsonObject(Buffer.from(segment, "base64url").toString("utf8")) : undefined;
}
