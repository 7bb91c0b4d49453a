import { CliError } from "../errors.ts";
import { readKeyFile } from "./key-file.ts";
import type { ServiceAccountKey } from "./service-account-key.ts";

/**
 * The credential to act with: the key file that a setting names. Throws CliError CREDENTIALS_MISSING where none is named or the file
 * is not there, and as `readKeyFile` does.
 */
export async function findCredentials(
  setting: { readonly value: string; readonly source: string } | undefined,
): Promise<ServiceAccountKey> {
  if (!setting) {
    throw new CliError("CREDENTIALS_MISSING", "No credentials are named.", {
      hint: "Say --credentials KEY_FILE, or set GOOGLE_APPLICATION_CREDENTIALS to a service account's key file.",
    });
  }
  try {
    return await readKeyFile(setting.value);
  } catch (error) {
    if (!(error instanceof CliError) || setting.source === "--credentials") throw error;
    const { code, message, hint, details } = error;
    throw new CliError(code, message, { hint: `${hint ? `${hint} ` : ""}(The file is named by ${setting.source}.)`, details });
  }
}
