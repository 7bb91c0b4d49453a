import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSigningKeys } from "../../../src/emulator/oauth2/signing-keys.ts";
import { temporaryDirectory } from "../../helpers/api-server.ts";

test("keys are created once, in files that only their owner can read, and stay the same after a restart", async () => {
  const directory = temporaryDirectory();
  const keys = openSigningKeys(directory);
  const [issuer, account, again] = await Promise.all([keys.issuerKey(), keys.accountKey("123"), keys.accountKey("123")]);
  expect(again).toBe(account);
  expect(issuer.privateKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048, publicExponent: 65_537n });
  expect(issuer.keyId).toMatch(/^[0-9a-f]{40}$/);
  expect(statSync(join(directory, "keys")).mode & 0o777).toBe(0o700);
  for (const name of ["issuer.pem", "account-123.pem"]) expect(statSync(join(directory, "keys", name)).mode & 0o777).toBe(0o600);

  const reopened = openSigningKeys(directory);
  expect((await reopened.issuerKey()).keyId).toBe(issuer.keyId);
  expect((await reopened.existingAccountKey("123"))?.keyId).toBe(account.keyId);
  expect(await reopened.existingAccountKey("456")).toBeUndefined();
  reopened.removeAccountKey("123");
  expect(existsSync(join(directory, "keys", "account-123.pem"))).toBe(false);
  expect(await reopened.existingAccountKey("123")).toBeUndefined();
});
