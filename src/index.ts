import { env } from "node:process";
import { findCredentials, objectCredentials } from "./auth/credentials.ts";
import { createSend } from "./request.ts";

export { CliError, type ErrorCode } from "./errors.ts";

export interface FetchIdTokenOptions {
  /** The path of a credential file of any kind, or what it holds. Default: the file that GOOGLE_APPLICATION_CREDENTIALS names, or what Google's libraries would find. */
  readonly credentials?: string | Readonly<Record<string, unknown>>;
  /** Whom the token is for: the service's URL, without a path. */
  readonly audience: string;
}

/**
 * Fetches an ID token, good for an hour, to be sent to the audience as `Authorization: Bearer …`. Proxies and the emulator are found in the
 * environment. Throws a CliError whose `code` says what went wrong: CREDENTIALS_MISSING, CREDENTIALS_INVALID, TOKEN_REFUSED, CLOCK_SKEW,
 * UNAVAILABLE, TIMEOUT, EMULATOR_NOT_RUNNING or SETTINGS_INVALID.
 */
export async function fetchIdToken({ credentials, audience }: FetchIdTokenOptions): Promise<string> {
  const exchange = { send: createSend({ env }), env };
  const found =
    typeof credentials === "object" ? objectCredentials(credentials, exchange) : await findCredentials(named(credentials), exchange);
  return found.fetchIdToken(audience);
}

function named(path: string | undefined): { value: string; source: string } | undefined {
  if (path !== undefined) return { value: path, source: "the credentials option" };
  const value = env["GOOGLE_APPLICATION_CREDENTIALS"];
  return value ? { value, source: "GOOGLE_APPLICATION_CREDENTIALS" } : undefined;
}
