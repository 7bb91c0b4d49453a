import "reflect-metadata";
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { createHash, webcrypto } from "node:crypto";
import type { KeyPair } from "./key-pair.ts";

const ALGORITHM = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

/** The self-signed certificate (PEM) in which Google shows a public key. `notBefore` and `notAfter` are in milliseconds since the epoch. */
export async function createKeyCertificate(pair: KeyPair, commonName: string, notBefore: number, notAfter: number): Promise<string> {
  cryptoProvider.set(webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0]);
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey("pkcs8", pair.privateKey.export({ type: "pkcs8", format: "der" }), ALGORITHM, false, ["sign"]),
    webcrypto.subtle.importKey("spki", pair.publicKey.export({ type: "spki", format: "der" }), ALGORITHM, true, ["verify"]),
  ]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    // Twenty octets at most, and not negative: RFC 5280, section 4.1.2.2.
    serialNumber: createHash("sha256").update(pair.keyId).digest("hex").replace(/^./, "1").slice(0, 16),
    name: [{ CN: [commonName] }],
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    signingAlgorithm: ALGORITHM,
    keys: { privateKey, publicKey },
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth], true),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}
