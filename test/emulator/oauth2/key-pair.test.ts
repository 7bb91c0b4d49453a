import { createPrivateKey, sign, verify } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createKeyPair, openKeyPair } from "../../../src/emulator/oauth2/key-pair.ts";
import { temporaryDirectory } from "../../helpers/api-server.ts";

test("a key pair is RSA with 2048 bits, and its private key signs what its public key verifies", async () => {
  const { privateKey, publicKey } = await createKeyPair();
  expect(privateKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048, publicExponent: 65_537n });
  const data = Buffer.from("signed");
  expect(verify("sha256", data, publicKey, sign("sha256", data, privateKey))).toBe(true);
});

test("a key file is created once, for its owner only", async () => {
  const file = join(temporaryDirectory(), "keys", "issuer.pem");
  const { keyId } = await openKeyPair(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(createPrivateKey(readFileSync(file)).asymmetricKeyType).toBe("rsa");
  expect((await openKeyPair(file)).keyId).toBe(keyId);
});
