import { createHash, randomBytes, sign, type KeyObject } from "node:crypto";
import { bits, boolean, der, flags, integer, objectId, octets, sequence, set, text, time } from "./der.ts";

interface CertificateFields {
  /** At most 20 bytes, the first below 0x80. Default: random. */
  readonly serialNumber?: Uint8Array;
  readonly subject: Name;
  readonly issuer: Name;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly extensions: readonly Extension[];
}

/** Attributes, in the order in which they are written. */
interface Name {
  readonly commonName?: string;
  readonly organization?: string;
}

/** An extension, DER. */
type Extension = Buffer;

/** Creates and signs a certificate, PEM without a final newline. RFC 5280, section 4.1. */
export function createCertificate(fields: CertificateFields): string {
  const { serialNumber = randomSerialNumber(), subject, issuer, notBefore, notAfter, publicKey, signingKey, extensions } = fields;
  const algorithm =
    signingKey.asymmetricKeyType === "rsa"
      ? sequence(objectId("1.2.840.113549.1.1.11"), der(0x05))
      : sequence(objectId("1.2.840.10045.4.3.2"));
  const signed = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(serialNumber),
    algorithm,
    distinguishedName(issuer),
    sequence(time(notBefore), time(notAfter)),
    distinguishedName(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const certificate = sequence(signed, algorithm, bits(sign("sha256", signed, signingKey)));
  const lines = certificate.toString("base64").replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----`;
}

/** RFC 5280, section 4.2.1.9. An authority must be the last in its chain. */
export function basicConstraints(role: "authority" | "leaf"): Extension {
  return extension("2.5.29.19", role === "authority" ? sequence(boolean(true), integer(Buffer.from([0]))) : sequence(), { critical: true });
}

/** RFC 5280, section 4.2.1.3: the allowed uses of a key, by their bit numbers. */
export function keyUsage(...usages: readonly (keyof typeof KEY_USAGES)[]): Extension {
  return extension("2.5.29.15", flags(...usages.map((usage) => KEY_USAGES[usage])), { critical: true });
}

const KEY_USAGES = { digitalSignature: 0, keyCertSign: 5, cRLSign: 6 };

/** RFC 5280, section 4.2.1.12. */
export function extendedKeyUsage(purpose: "serverAuth" | "clientAuth", criticality?: Criticality): Extension {
  const number = purpose === "serverAuth" ? 1 : 2;
  return extension("2.5.29.37", sequence(objectId(`1.3.6.1.5.5.7.3.${number}`)), criticality);
}

/** RFC 5280, section 4.2.1.6. */
export function subjectAlternativeName(host: string): Extension {
  return extension("2.5.29.17", sequence(dnsName(host)));
}

/** RFC 5280, section 4.2.1.2, for a key on the curve P-256. */
export function subjectKeyIdentifier(publicKey: KeyObject): Extension {
  return extension("2.5.29.14", octets(keyIdentifier(publicKey)));
}

/** RFC 5280, section 4.2.1.1, for an issuer with a key on the curve P-256. */
export function authorityKeyIdentifier(publicKey: KeyObject): Extension {
  return extension("2.5.29.35", sequence(der(0x80, keyIdentifier(publicKey))));
}

/** RFC 5280, section 4.2.1.10: allows the domains and their subdomains, and no IP address. */
export function nameConstraints(domains: readonly string[]): Extension {
  const permitted = domains.map((domain) => sequence(dnsName(domain)));
  // Kinds of names without a subtree are unconstrained. An IP range is an IPv4 or IPv6 address followed by a mask of the same length.
  const excluded = [8, 32].map((length) => sequence(der(0x87, new Uint8Array(length))));
  return extension("2.5.29.30", sequence(der(0xa0, ...permitted), der(0xa1, ...excluded)), { critical: true });
}

interface Criticality {
  readonly critical: boolean;
}

function extension(id: string, value: Uint8Array, { critical }: Criticality = { critical: false }): Extension {
  return sequence(objectId(id), ...(critical ? [boolean(true)] : []), octets(value));
}

function distinguishedName({ commonName, organization }: Name): Buffer {
  const attributes = [
    ["2.5.4.3", commonName],
    ["2.5.4.10", organization],
  ] as const;
  return sequence(...attributes.flatMap(([id, value]) => (value === undefined ? [] : [set(sequence(objectId(id), text(value)))])));
}

function dnsName(host: string): Buffer {
  return der(0x82, Buffer.from(host));
}

function keyIdentifier(publicKey: KeyObject): Buffer {
  // The last 65 bytes are the point, without the header that identifies it.
  const point = publicKey.export({ type: "spki", format: "der" }).subarray(-65);
  return createHash("sha1").update(point).digest();
}

/** RFC 5280, section 4.1.2.2: positive, and at most 20 bytes. */
function randomSerialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes;
}
