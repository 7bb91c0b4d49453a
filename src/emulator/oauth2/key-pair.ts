import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { writeFileAtomically } from "../state/atomic-write.ts";

export interface KeyPair {
  /** 40 hex digits, derived from the public key. */
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Generates an RSA key pair of 2048 bits, off the main thread; it takes 50 to 200 ms. */
export async function createKeyPair(): Promise<KeyPair> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  return describeKeyPair(privateKey);
}

/** Reads the private key in a PEM file; creates the file (0600) and its folder (0700) if missing. */
export async function openKeyPair(file: string): Promise<KeyPair> {
  if (existsSync(file)) return describeKeyPair(createPrivateKey(readFileSync(file)));
  const pair = await createKeyPair();
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileAtomically(file, pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  return pair;
}

export function describeKeyPair(privateKey: KeyObject): KeyPair {
  const publicKey = createPublicKey(privateKey);
  const keyId = createHash("sha1")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
  return { keyId, privateKey, publicKey };
}
