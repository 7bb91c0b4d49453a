import { createHash } from "node:crypto";
import { basicConstraints, createCertificate, extendedKeyUsage, keyUsage } from "../server/x509/certificate.ts";
import type { KeyPair } from "./key-pair.ts";

/** The self-signed certificate (PEM) in which Google publishes a public key. `notBefore` and `notAfter` are in milliseconds since the epoch. */
export function createKeyCertificate(pair: KeyPair, commonName: string, notBefore: number, notAfter: number): string {
  const serialNumber = createHash("sha256").update(pair.keyId).digest().subarray(0, 8);
  serialNumber[0] = (serialNumber[0] ?? 0) & 0x7f;
  const certificate = createCertificate({
    serialNumber,
    subject: { commonName },
    issuer: { commonName },
    notBefore,
    notAfter,
    publicKey: pair.publicKey,
    signingKey: pair.privateKey,
    extensions: [basicConstraints("leaf"), keyUsage("digitalSignature"), extendedKeyUsage("clientAuth", { critical: true })],
  });
  return `${certificate}\n`;
}
