import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { readKeyFile } from "../../../auth/key-file.ts";
import type { ServiceAccountKey } from "../../../auth/service-account-key.ts";
import { createKeyFile } from "../../../cloud/api/accounts.ts";
import type { ApiClient } from "../../../cloud/api/client.ts";
import { describeKeyPair } from "../../../emulator/index.ts";
import { CliError } from "../../../errors/cli-error.ts";
import { writePrivateFile } from "../../../settings/private-files.ts";

interface Account {
  readonly project: string;
  readonly email: string;
}

/**
 * Makes sure that a file (0600) has a valid key of an account; true if it was written. Replaces only a key that an emulator created and no longer
 * knows: throws CONFLICT for any other file.
 */
export async function ensureKeyFile(client: ApiClient, account: Account, path: string): Promise<boolean> {
  const existing = await readKeyFile(path).catch((error: unknown) => {
    if (error instanceof CliError && error.code === "CREDENTIALS_MISSING") return undefined;
    throw error;
  });
  if (existing) {
    if (existing.client_email !== account.email) throw conflict(path, `is a key file for ${existing.client_email}, not ${account.email}`);
    if (await isKnown(client, account, existing.private_key_id)) return false;
    if (!isEmulatorKey(existing)) throw conflict(path, "contains a key that wasn't created by an emulator");
  }
  await mkdir(dirname(path), { recursive: true });
  writePrivateFile(path, await createKeyFile(client, account), { overwrite: existing !== undefined });
  return true;
}

async function isKnown(client: ApiClient, { project, email }: Account, keyId: string): Promise<boolean> {
  const answer = await client.send({
    method: "GET",
    url: `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts/${email}/keys/${keyId}`,
  });
  await answer.bytes();
  return answer.status === 200;
}

/** An emulator's key ID is derived from the public key; Google's isn't. */
function isEmulatorKey({ private_key, private_key_id }: ServiceAccountKey): boolean {
  return describeKeyPair(private_key).keyId === private_key_id;
}

/** The error for a file that isn't replaced; `reason` completes the sentence. */
export function conflict(path: string, reason: string): CliError {
  return new CliError("CONFLICT", `${path} ${reason}.`, { hint: "Move the file elsewhere, or use another path in the seed file." });
}
