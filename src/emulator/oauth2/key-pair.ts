import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { writeWhole } from "../write-whole.ts";

export interface KeyPair {
  /** 40 hex digits that follow from the public key. */
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Makes an RSA key pair of 2048 bits; off the main thread, in about 100 ms. */
export async function createKeyPair(): Promise<KeyPair> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  return describeKeyPair(privateKey);
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
