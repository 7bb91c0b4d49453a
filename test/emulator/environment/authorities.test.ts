import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { expect, test } from "vitest";
import { openCertificateAuthority } from "../../../src/emulator/server/certificate-authority.ts";
import { collectAuthorities } from "../../../src/emulator/environment/authorities.ts";
import { temporaryDirectory } from "../../helpers/api-server.ts";

const authority = (): string => openCertificateAuthority(temporaryDirectory(), Date.now).certificate;

/** A file of certificates whose lines end as a file of Windows has them. */
function writeBundle(...certificates: readonly string[]): string {
  const file = join(temporaryDirectory(), "bundle.pem");
  writeFileSync(file, certificates.map((certificate) => certificate.replaceAll(/\r?\n/g, "\r\n")).join("\r\n\r\n"));
  return file;
}

const certificatesIn = (text: string): string[] =>
  (text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((found) => found.replaceAll(/\s/g, ""));

const same = (...certificates: readonly string[]): string[] => certificates.map((certificate) => certificate.replaceAll(/\s/g, ""));

test("Node adds the emulator's and the user's authorities to its own, each once; other clients get all of them in one file", () => {
  const [own, company] = [authority(), authority()];
  const file = writeBundle(...rootCertificates, company);
  const { bundle, added } = collectAuthorities(own, { SSL_CERT_FILE: file, NODE_EXTRA_CA_CERTS: writeBundle(company) });
  expect(certificatesIn(added)).toEqual(same(company, own));
  expect(certificatesIn(bundle)).toEqual(same(...rootCertificates, company, own));
});

test("a variable without a readable file adds no authority", () => {
  const own = authority();
  const { added } = collectAuthorities(own, { SSL_CERT_FILE: join(temporaryDirectory(), "none.pem"), CURL_CA_BUNDLE: "" });
  expect(certificatesIn(added)).toEqual(same(own));
});
