import { sign, verify, type KeyObject } from "node:crypto";
import { parseObject } from "../server/json.ts";
import type { KeyPair } from "./key-pair.ts";

/** A JWS in compact serialization (RFC 7515, section 7.1) whose header and payload are JSON objects; not verified yet. */
export interface Jwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What the signature covers: the first two segments. */
  readonly signed: string;
  readonly signature: Buffer;
}

/** Google's tokens are far shorter; longer ones aren't parsed. */
const MAX_TOKEN_LENGTH = 64 * 1024;
const BASE64URL = /^[A-Za-z0-9_-]*$/;

/** Parses a JWT; undefined if it isn't one. Its segments can be padded with `=` only if `allowPadding` is set. */
export function parseJwt(token: string, { allowPadding = false } = {}): Jwt | undefined {
  if (token.length > MAX_TOKEN_LENGTH) return undefined;
  const written = token.split(".");
  const segments = allowPadding ? written.map((segment) => (segment.length % 4 === 0 ? segment.replace(/={1,2}$/, "") : segment)) : written;
  if (segments.length !== 3 || !segments.every((segment) => BASE64URL.test(segment) && segment.length % 4 !== 1)) return undefined;
  const [header, claims] = [parseObject(decode(segments[0] as string)), parseObject(decode(segments[1] as string))];
  if (!header || !claims) return undefined;
  const signature = Buffer.from(segments[2] as string, "base64url");
  // The spare bits of the last character aren't signed: only the canonical spelling is accepted.
  if (signature.toString("base64url") !== segments[2]) return undefined;
  return { header, claims, signed: `${written[0]}.${written[1]}`, signature };
}

/** Whether a key signed the token with RS256, the only algorithm that Google uses. */
export function isSignedBy(jwt: Jwt, publicKey: KeyObject): boolean {
  return jwt.header["alg"] === "RS256" && verify("sha256", Buffer.from(jwt.signed), publicKey, jwt.signature);
}

/** Signs a JWS payload with RS256, under a header that names the key. */
export function signJwt(payload: string, { keyId, privateKey }: KeyPair): string {
  const signed = `${encode(JSON.stringify({ alg: "RS256", kid: keyId, typ: "JWT" }))}.${encode(payload)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}

function decode(segment: string): string {
  return Buffer.from(segment, "base64url").toString("utf8");
}
