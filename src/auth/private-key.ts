import { createPrivateKey, type KeyObject } from "node:crypto";
import { CliError } from "../errors/cli-error.ts";

const COPY_AGAIN = "Copy the key file again, byte for byte, from where it was made; or make a new key.";

/** PEM labels of keys that can't be used; Google's files have PRIVATE KEY (PKCS #8, RFC 5958). */
const OTHER_LABELS: readonly (readonly [RegExp, string])[] = [
  [/^ENCRYPTED PRIVATE KEY$/, "is protected by a passphrase, as Google's never are"],
  [/PUBLIC KEY$/, "is a public key"],
  [/CERTIFICATE$/, "is a certificate"],
  [/^OPENSSH PRIVATE KEY$/, "is an OpenSSH key"],
  [/^EC P/, "is an EC key, where Google's are RSA"],
];

/** Reads the `private_key` of a key file (PEM). Throws CliError CREDENTIALS_INVALID with the fault, without any of the key. */
export function parsePrivateKey(pem: string, subject: string): KeyObject {
  const invalid = (fault: string, hint = COPY_AGAIN) =>
    new CliError("CREDENTIALS_INVALID", `The private_key of ${lower(subject)} ${fault}.`, { hint, reason: "PRIVATE_KEY_BROKEN" });
  if (pem.includes("\\n")) throw invalid("has its line breaks escaped twice", "In the file, write every \\\\n of private_key as \\n.");
  const label = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem)?.[1];
  if (label === undefined) throw invalid("is no PEM: its BEGIN line is missing");
  const [, other] = OTHER_LABELS.find(([pattern]) => pattern.test(label)) ?? [];
  if (other) throw invalid(other);
  if (pem.includes("Proc-Type: 4,ENCRYPTED")) throw invalid("is protected by a passphrase, as Google's never are");
  if (!pem.includes(`-----END ${label}-----`)) throw invalid("is cut off: its END line is missing");
  if (!/-----BEGIN [^-]+-----\r?\n/.test(pem))
    throw invalid("has lost its line breaks", "Keep the \\n in private_key where they are when the file is copied.");
  const key = read(pem);
  if (!key) throw invalid("is damaged: it cannot be decoded");
  if (key.asymmetricKeyType !== "rsa") throw invalid(`is a key for ${key.asymmetricKeyType ?? "something else"}, where Google's are RSA`);
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
