import { CliError } from "../errors.ts";
import { fetchAccessToken, fetchIdToken, type AccessToken, type Exchange } from "./exchange.ts";
import { memberOf } from "./id-token.ts";
import { readKeyFile } from "./key-file.ts";
import type { ServiceAccountKey } from "./service-account-key.ts";

/** What gets tokens, whatever it is that it gets them with. */
export interface Credentials {
  /** Who calls, as policies name him: `serviceAccount:caller@…`. */
  readonly principal: string;
  /** What it is and where it was found, in one line for `--verbose`; never a secret. */
  readonly description: string;
  /** What tells these credentials from all others; the last parts may be secret, so it is only ever hashed. */
  readonly identity: readonly string[];
  /** The path of the file that holds it. */
  readonly file?: string;
  /** The request that gets a token, for `--dry-run`. */
  readonly tokenRequest: { readonly method: "POST" | "GET"; readonly url: string };
  /**
   * An ID token for an audience. Throws CliError: CREDENTIALS_INVALID for a credential that cannot be used, TOKEN_REFUSED or CLOCK_SKEW
   * where the endpoint says no, UNAVAILABLE or TIMEOUT where it does not work.
   */
  fetchIdToken(audience: string): Promise<string>;
  /** An access token for Google's APIs. Throws as `fetchIdToken` does. */
  fetchAccessToken(): Promise<AccessToken>;
}

/**
 * The credentials to act with: the key file that a setting names. Throws CliError CREDENTIALS_MISSING where none is named or the file
 * is not there, and as `readKeyFile` does.
 */
export async function findCredentials(
  setting: { readonly value: string; readonly source: string } | undefined,
  exchange: Exchange,
): Promise<Credentials> {
  if (!setting) {
    throw new CliError("CREDENTIALS_MISSING", "No credentials are named.", {
      hint: "Say --credentials KEY_FILE, or set GOOGLE_APPLICATION_CREDENTIALS to a service account's key file.",
    });
  }
  const { value: file, source } = setting;
  try {
    return { ...keyCredentials(await readKeyFile(file), `${file} (${source})`, exchange), file };
  } catch (error) {
    if (!(error instanceof CliError) || source === "--credentials") throw error;
    const { code, message, hint, details } = error;
    throw new CliError(code, message, { hint: `${hint ? `${hint} ` : ""}(The file is named by ${source}.)`, details });
  }
}

/** A service account's key, which signs what its token endpoint exchanges. `origin` says where it was found. */
export function keyCredentials(key: ServiceAccountKey, origin: string, exchange: Exchange): Credentials {
  const principal = memberOf(key.client_email);
  return {
    principal,
    description: `${principal}, from ${origin}, key ${key.private_key_id}`,
    identity: [key.client_email, key.private_key_id, key.token_uri],
    tokenRequest: { method: "POST", url: key.token_uri },
    fetchIdToken: (audience) => fetchIdToken(key, audience, exchange),
    fetchAccessToken: () => fetchAccessToken(key, exchange),
  };
}
