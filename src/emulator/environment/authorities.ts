import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";

/** The variables that name a file with certificate authorities for a client. */
export const AUTHORITY_VARIABLES = [
  "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "SSL_CERT_FILE",
  "HTTPLIB2_CA_CERTS",
  "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
  "GIT_SSL_CAINFO",
  "NODE_EXTRA_CA_CERTS",
];

/**
 * The certificate authorities to trust, PEM: `bundle` has the public ones, those of the user's own environment, and the emulator's; `added`
 * has the same without the public ones.
 */
export function collectAuthorities(
  authority: string,
  env: Readonly<Record<string, string | undefined>>,
): { readonly bundle: string; readonly added: string } {
  const named = new Set(AUTHORITY_VARIABLES.map((name) => env[name]).filter((file) => file !== undefined && file !== ""));
  const userCertificates = [...named].flatMap((file) => {
    try {
      return readFileSync(file as string, "utf8").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    } catch {
      // A variable that names no readable file adds nothing for any client.
      return [];
    }
  });
  // Compared without whitespace, since files differ in their line endings.
  const added = new Map([...userCertificates, authority.trim()].map((certificate) => [certificate.replace(/\s/g, ""), certificate]));
  if (userCertificates.length > 0) for (const root of rootCertificates) added.delete(root.replace(/\s/g, ""));
  const lines = [...added.values()];
  return { bundle: `${[...rootCertificates, ...lines].join("\n")}\n`, added: `${lines.join("\n")}\n` };
}
