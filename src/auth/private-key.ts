import { createPrivateKey, type KeyObject } from "node:crypto";
import { CliError } from "../errors/cli-error.ts";

export const COPY_KEY_HINT = "Download or copy the key file again, or create a new key.";

/** PEM labels of keys that can't be used; Google's files have PRIVATE KEY (PKCS #8, RFC 5958). */
const OTHER_LABELS: readonly (readonly [RegExp, string])[] = [
  [/^ENCRYPTED PRIVATE KEY$/, "is protected by a passphrase, which isn't supported"],
  [/PUBLIC KEY$/, "is a public key"],
  [/CERTIFICATE$/, "is a certificate"],
  [/^OPENSSH PRIVATE KEY$/, "is an OpenSSH key"],
];

/** Reads the `private_key` of a key file (PEM). Throws CliError CREDENTIALS_INVALID with the fault, without any of the key. */
export function parsePrivateKey(pem: string, subject: string): KeyObject {
  const invalid = (fault: string, hint = COPY_KEY_HINT) =>
    new CliError("CREDENTIALS_INVALID", `The private_key in ${lower(subject)} ${fault}.`, { hint, reason: "PRIVATE_KEY_BROKEN" });
  if (pem.includes("\\n")) throw invalid("has double-escaped line breaks", "In the file, replace every \\\\n in private_key with \\n.");
  const label = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem)?.[1];
  if (label === undefined) throw invalid("isn't in PEM format (no BEGIN line)");
  const [, other] = OTHER_LABELS.find(([pattern]) => pattern.test(label)) ?? [];
  if (other) throw invalid(other);
  if (pem.includes("Proc-Type: 4,ENCRYPTED")) throw invalid("is protected by a passphrase, which isn't supported");
  if (!pem.includes(`-----END ${label}-----`)) throw invalid("is truncated (no END line)");
  if (!/-----BEGIN [^-]+-----\r?\n/.test(pem)) throw invalid("has no line breaks", "Keep the \\n in private_key when you copy the file.");
  const key = read(pem);
  if (!key) throw invalid("is corrupted and can't be decoded");
  if (key.asymmetricKeyType !== "rsa") throw invalid("isn't an RSA key");
  return key;
}

function read(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function lower(subject: string): string {
  return subject.charAt(0).toLowerCase() + subject.slice(1);
}
