import "reflect-metadata";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { GeneralName, GeneralSubtree, GeneralSubtrees, id_ce_nameConstraints, NameConstraints } from "@peculiar/asn1-x509";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { webcrypto } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import { EMULATED_DOMAINS } from "./hosts.ts";
import { writeWhole } from "./write-whole.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The emulator's own certificate authority: it can vouch for the hosts that are emulated and for no other. */
export interface CertificateAuthority {
  /** The authority's certificate, PEM. */
  readonly certificate: string;
  /** A server certificate for a host name, made at its first use and kept in memory. */
  contextFor(host: string): Promise<SecureContext>;
}

/** Opens the authority under `keys/` of the data directory; makes it where it is missing. */
export async function openCertificateAuthority(directory: string, now: () => number): Promise<CertificateAuthority> {
  cryptoProvider.set(webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0]);
  const keys = join(directory, "keys");
  const file = join(keys, "ca.json");
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  if (!existsSync(file)) {
    // Certificate and key in one file, so that a crash cannot leave one without the other.
    writeWhole(file, JSON.stringify(await createAuthority(now())));
  }
  const stored = JSON.parse(readFileSync(file, "utf8")) as StoredAuthority;
  const issuer = new X509Certificate(stored.certificate);
  const issuerKey = await webcrypto.subtle.importKey("pkcs8", PemConverter.decode(stored.privateKey)[0] as ArrayBuffer, ALGORITHM, false, [
    "sign",
  ]);

  const contexts = new Map<string, Promise<SecureContext>>();
  return {
    certificate: stored.certificate,
    contextFor(host) {
      // One wildcard certificate serves all services of a region, and all APIs.
      const name = EMULATED_DOMAINS.includes(host) ? host : `*.${host.slice(host.indexOf(".") + 1)}`;
      const known = contexts.get(name);
      if (known) return known;
      const context = createLeaf(name, issuer, issuerKey, now());
      contexts.set(name, context);
      return context;
    },
  };
}

interface StoredAuthority {
  readonly certificate: string;
  readonly privateKey: string;
}

async function createAuthority(now: number): Promise<StoredAuthority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=cloudrun-oauth emulator (this machine only), O=cloudrun-oauth",
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(now - HOUR),
    notAfter: new Date(now + 3650 * DAY),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      new Extension(id_ce_nameConstraints, true, nameConstraints()),
    ],
  });
  const privateKey = PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { certificate: certificate.toString("pem"), privateKey };
}

// RFC 5280, section 4.2.1.10. A kind of name that no subtree speaks of is unconstrained, so addresses are excluded outright.
function nameConstraints(): ArrayBuffer {
  const permitted = EMULATED_DOMAINS.map((dNSName) => new GeneralSubtree({ base: new GeneralName({ dNSName }) }));
  const excluded = [8, 32].map((length) => new GeneralSubtree({ base: addressRange(length) }));
  return AsnConvert.serialize(
    new NameConstraints({ permittedSubtrees: new GeneralSubtrees(permitted), excludedSubtrees: new GeneralSubtrees(excluded) }),
  );
}

/** All IPv4 (8 bytes: address and mask) or IPv6 addresses (32 bytes). */
function addressRange(length: number): GeneralName {
  // Parsed from DER [7] IMPLICIT OCTET STRING: the class itself takes single addresses only.
  const octets = new Uint8Array(AsnConvert.serialize(new OctetString(new Uint8Array(length))));
  octets[0] = 0x87;
  return AsnConvert.parse(octets.buffer, GeneralName);
}

async function createLeaf(name: string, issuer: X509Certificate, issuerKey: webcrypto.CryptoKey, now: number): Promise<SecureContext> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.create({
    subject: "O=cloudrun-oauth emulator",
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: issuerKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(now - HOUR),
    notAfter: new Date(now + 397 * DAY),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([{ type: "dns", value: name }]),
      await AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  const key = PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return createSecureContext({ cert: certificate.toString("pem"), key });
}
