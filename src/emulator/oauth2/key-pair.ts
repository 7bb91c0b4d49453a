import { createHash, createPrivateKey, createPublicKey, generatePrime, type KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { writeWhole } from "../state/atomic-write.ts";

export interface KeyPair {
  /** 40 hex digits that follow from the public key. */
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const BITS = 2048;
/** The public exponent. */
const E = 65_537n;

/**
 * Makes an RSA key pair of 2048 bits; off the main thread, in about 40 ms. OpenSSL's own way (FIPS 186-4) takes several times as long, and every
 * start of an emulator waits for two. RFC 8017, section 3.
 */
export async function createKeyPair(): Promise<KeyPair> {
  const prime = promisify(generatePrime) as unknown as (size: number, options: { bigint: true }) => Promise<bigint>;
  for (;;) {
    const [p, q] = await Promise.all([prime(BITS / 2, { bigint: true }), prime(BITS / 2, { bigint: true })]);
    const [p1, q1] = [p - 1n, q - 1n];
    const hasExponent = p1 % E !== 0n && q1 % E !== 0n;
    if (p === q || !hasExponent || (p * q).toString(2).length !== BITS) continue;
    const d = inverse(E, p1 * q1);
    const numbers = { n: p * q, e: E, d, p, q, dp: d % p1, dq: d % q1, qi: inverse(q, p) };
    const encoded = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, encode(value)]));
    return describeKeyPair(createPrivateKey({ key: { kty: "RSA", ...encoded }, format: "jwk" }));
  }
}

/** What a number is multiplied by to make 1, modulo another that has no divisor with it in common: Euclid's extended algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [remainder, next, factor, nextFactor] = [modulus, value % modulus, 0n, 1n];
  while (next > 0n) {
    const quotient = remainder / next;
    [remainder, next] = [next, remainder - quotient * next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return ((factor % modulus) + modulus) % modulus;
}

/** RFC 7518, section 2: Base64urlUInt. */
function encode(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex").toString("base64url");
}

/** Reads the private key of a PEM file (0600), made with its folder (0700) where it is missing. */
export async function openKeyPair(file: string): Promise<KeyPair> {
  if (existsSync(file)) return describeKeyPair(createPrivateKey(readFileSync(file)));
  const pair = await createKeyPair();
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeWhole(file, pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  return pair;
}

/** The key pair of an RSA private key. */
export function describeKeyPair(privateKey: KeyObject): KeyPair {
  const publicKey = createPublicKey(privateKey);
  const keyId = createHash("sha1")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
  return { keyId, privateKey, publicKey };
}
