import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { createServer } from "node:https";
import { connect } from "node:tls";
import { once } from "node:events";
import { expect, test } from "vitest";
import { openCertificateAuthority } from "../../../../src/emulator/server/certificate-authority.ts";
import { createKeyCertificate } from "../../../../src/emulator/oauth2/key-certificate.ts";
import { createKeyPair } from "../../../../src/emulator/oauth2/key-pair.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  createCertificate,
  nameConstraints,
  subjectAlternativeName,
  subjectKeyIdentifier,
} from "../../../../src/emulator/server/x509/certificate.ts";
import { temporaryDirectory } from "../../../helpers/api-server.ts";
import { listen } from "../../../helpers/listen.ts";

const [authority, leaf] = [1, 2].map(() => generateKeyPairSync("ec", { namedCurve: "P-256" })) as [Pair, Pair];
type Pair = ReturnType<typeof generateKeyPairSync>;

const NAME = { commonName: "An authority", organization: "Tests" };
const VALID = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };

function certifyAuthority(domains: readonly string[]): string {
  return createCertificate({
    ...VALID,
    subject: NAME,
    issuer: NAME,
    publicKey: authority.publicKey,
    signingKey: authority.privateKey,
    extensions: [basicConstraints("authority"), subjectKeyIdentifier(authority.publicKey), nameConstraints(domains)],
  });
}

/** What Node makes of a server whose certificate is for one host and whose authority is confined to some domains. */
async function meet(host: string, domains: readonly string[]): Promise<string> {
  const cert = createCertificate({
    ...VALID,
    subject: { organization: "Tests" },
    issuer: NAME,
    publicKey: leaf.publicKey,
    signingKey: authority.privateKey,
    extensions: [basicConstraints("leaf"), subjectAlternativeName(host), authorityKeyIdentifier(authority.publicKey)],
  });
  const key = leaf.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const port = await listen(createServer({ cert, key }));
  const socket = connect({ host: "127.0.0.1", port, servername: host, ca: certifyAuthority(domains) });
  const outcome = await once(socket, "secureConnect").then(
    () => "trusted",
    (error: Error) => error.message,
  );
  socket.destroy();
  return outcome;
}

test("an authority is valid for hosts in its domains only", async () => {
  expect(await meet("hello-uc.a.run.app", ["googleapis.com", "run.app"])).toBe("trusted");
  expect(await meet("hello.example.com", ["googleapis.com", "run.app"])).toBe("permitted subtree violation");
  expect(await meet("evilrun.app", ["run.app"])).toBe("permitted subtree violation");
});

test("the emulator's authority is created once, signs itself, and keeps its name", () => {
  const directory = temporaryDirectory();
  const first = openCertificateAuthority(directory, Date.now);
  expect(openCertificateAuthority(directory, Date.now).certificate).toBe(first.certificate);
  const certificate = new X509Certificate(first.certificate);
  expect(certificate.ca).toBe(true);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.subject).toBe("CN=cloudrun-oauth emulator (this machine only)\nO=cloudrun-oauth");
  expect(certificate.issuer).toBe(certificate.subject);
  expect(Buffer.from(certificate.serialNumber, "hex")).toHaveLength(16);
  expect(first.contextFor("run.googleapis.com")).toBe(first.contextFor("iam.googleapis.com"));
  expect(first.contextFor("run.googleapis.com")).not.toBe(first.contextFor("accounts.google.com"));
});

test("a key's certificate has its name, validity and key, and isn't an authority", async () => {
  const pair = await createKeyPair();
  const certificate = new X509Certificate(createKeyCertificate(pair, "1029384756", 0, Date.parse("9999-12-31T23:59:59Z")));
  expect(certificate).toMatchObject({ subject: "CN=1029384756", issuer: "CN=1029384756", ca: false, keyUsage: ["1.3.6.1.5.5.7.3.2"] });
  expect([certificate.validFrom, certificate.validTo]).toEqual(["Jan  1 00:00:00 1970 GMT", "Dec 31 23:59:59 9999 GMT"]);
  expect(certificate.publicKey.equals(pair.publicKey)).toBe(true);
  expect(certificate.verify(pair.publicKey)).toBe(true);
});
