import { findCredentials, keyCredentials, type Credentials } from "../auth/credentials.ts";
import type { Exchange } from "../auth/exchange.ts";
import { parseKey } from "../auth/service-account-key.ts";

/** The path of a service account's key file, or what it holds. */
export type GivenCredentials = string | Readonly<Record<string, unknown>>;

/** The variables that may name a key file; the first that is set is taken. */
const VARIABLES = ["CLOUDRUN_OAUTH_CREDENTIALS", "CREDS", "GOOGLE_APPLICATION_CREDENTIALS"];

/** The credentials that a caller of the library gives, else those that the environment names. Throws as `findCredentials` does. */
export async function openCredentials(given: GivenCredentials | undefined, exchange: Exchange): Promise<Credentials> {
  if (typeof given === "object") return keyCredentials(parseKey(given, "The credentials object"), "the credentials option", exchange);
  if (given !== undefined) return findCredentials({ value: given, source: "the credentials option" }, exchange);
  const source = VARIABLES.find((name) => exchange.env[name]);
  return findCredentials(source === undefined ? undefined : { value: exchange.env[source] ?? "", source }, exchange);
}
