import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import { EMULATED_DOMAINS } from "./hosts.ts";
import { writeFileAtomically } from "../state/atomic-write.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  createCertificate,
  extendedKeyUsage,
  keyUsage,
  nameConstraints,
  subjectAlternativeName,
  subjectKeyIdentifier,
} from "./x509/certificate.ts";

const CURVE = { namedCurve: "P-256" };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** All data directories' authorities have the same name, since a leaf certificate repeats its issuer's name. */
const AUTHORITY = { commonName: "cloudrun-oauth emulator (this machine only)", organization: "cloudrun-oauth" };

/** The emulator's own certificate authority, which can only issue certificates for emulated hosts. */
export interface CertificateAuthority {
  readonly certificate: string;
  /** A server certificate for a host name, created at its first use and kept in memory. */
  contextFor(host: string): SecureContext;
}

/** Opens the authority under `keys/` in the data directory; creates it if missing. */
export function openCertificateAuthority(directory: string, now: () => number): CertificateAuthority {
  const keys = join(directory, "keys");
  const file = join(keys, "ca.json");
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  if (!existsSync(file)) {
    // One file for certificate and key, so that a crash can't leave one without the other.
    writeFileAtomically(file, JSON.stringify(createAuthority(now())));
  }
  const { certificate, privateKey } = JSON.parse(readFileSync(file, "utf8")) as StoredAuthority;
  const issuerKey = createPrivateKey(privateKey);

  const contexts = new Map<string, SecureContext>();
  return {
    certificate,
    contextFor(host) {
      // One wildcard certificate covers all services of a region; another covers all APIs.
      const name = EMULATED_DOMAINS.includes(host) ? host : `*.${host.slice(host.indexOf(".") + 1)}`;
      const existing = contexts.get(name);
      if (existing) return existing;
      const context = createLeaf(name, issuerKey, now());
      contexts.set(name, context);
      return context;
    },
  };
}

interface StoredAuthority {
  readonly certificate: string;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
}

function createAuthority(now: number): StoredAuthority {
  const { publicKey, privateKey } = generateKeyPairSync("ec", CURVE);
  const certificate = createCertificate({
    subject: AUTHORITY,
    issuer: AUTHORITY,
    notBefore: now - HOUR,
    notAfter: now + 3650 * DAY,
    publicKey,
    signingKey: privateKey,
    extensions: [
      basicConstraints("authority"),
      keyUsage("keyCertSign", "cRLSign"),
      subjectKeyIdentifier(publicKey),
      nameConstraints(EMULATED_DOMAINS),
    ],
  });
  return { certificate, privateKey: toPem(privateKey) };
}

function createLeaf(name: string, issuerKey: KeyObject, now: number): SecureContext {
  const { publicKey, privateKey } = generateKeyPairSync("ec", CURVE);
  const certificate = createCertificate({
    subject: { organization: "cloudrun-oauth emulator" },
    issuer: AUTHORITY,
    notBefore: now - HOUR,
    notAfter: now + 397 * DAY,
    publicKey,
    signingKey: issuerKey,
    extensions: [
      basicConstraints("leaf"),
      keyUsage("digitalSignature"),
      extendedKeyUsage("serverAuth"),
      subjectAlternativeName(name),
      authorityKeyIdentifier(createPublicKey(issuerKey)),
    ],
  });
  return createSecureContext({ cert: certificate, key: toPem(privateKey) });
}

function toPem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
