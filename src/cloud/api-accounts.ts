import { CliError } from "../errors.ts";
import type { ApiClient } from "./api-client.ts";

const IAM = "https://iam.googleapis.com/v1";

interface Account {
  readonly project: string;
  readonly email: string;
  readonly displayName?: string;
  readonly description?: string;
}

/** Makes a service account where it is missing; true where it was. `email` is one of the project's own. */
export async function ensureAccount(client: ApiClient, { project, email, displayName, description }: Account): Promise<boolean> {
  const body = { accountId: email.split("@")[0], serviceAccount: { displayName, description } };
  try {
    await client.call({ method: "POST", url: `${IAM}/projects/${project}/serviceAccounts`, body });
    return true;
  } catch (error) {
    if (error instanceof CliError && error.code === "CONFLICT") return false;
    throw error;
  }
}

/** Makes a key for a service account; resolves with the text of its key file, which exists nowhere else. */
export async function createKeyFile(client: ApiClient, { project, email }: Account): Promise<string> {
  const url = `${IAM}/projects/${project}/serviceAccounts/${email}/keys`;
  const { privateKeyData } = (await client.call({ method: "POST", url, body: {} })) as { readonly privateKeyData: string };
  return Buffer.from(privateKeyData, "base64").toString("utf8");
}
