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
 * Sees to it that a file (0600) holds a key of an account; true where one was made. A file that is there is replaced only where its key came from
 * an emulator that has forgotten it: throws CONFLICT for any other.
 */
export async function provideKeyFile(client: ApiClient, account: Account, path: string): Promise<boolean> {
  const found = await readKeyFile(path).catch((error: unknown) => {
    if (error instanceof CliError && error.code === "CREDENTIALS_MISSING") return undefined;
    throw error;
  });
  if (found) {
    if (found.client_email !== account.email) throw inTheWay(path, `is a key file of ${found.client_email}, not of ${account.email}`);
    if (await isKnown(client, account, found.private_key_id)) return false;
    if (!isEmulators(found)) throw inTheWay(path, "holds a key that no emulator made");
  }
  await mkdir(dirname(path), { recursive: true });
  writePrivateFile(path, await createKeyFile(client, account), { overwrite: found !== undefined });
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

/** An emulator names a key by its public half; Google does not. */
function isEmulators({ private_key, private_key_id }: ServiceAccountKey): boolean {
  return describeKeyPair(private_key).keyId === private_key_id;
}

function inTheWay(path: string, what: string): CliError {
  return new CliError("CONFLICT", `${path} ${what}.`, { hint: "Name another file in the seed file, or move this one away" });
}
