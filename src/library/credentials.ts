import { findCredentials, keyCredentials, type Credentials } from "../auth/credentials.ts";
import type { Exchange } from "../auth/exchange.ts";
import { parseKey } from "../auth/service-account-key.ts";

/** The path of a service account's key file, or what it holds. */
export type GivenCredentials = string | Readonly<Record<string, unknown>>;

/** The variables that may name a key file; the first that is set is taken. */
const CALLER = ["CLOUDRUN_OAUTH_CREDENTIALS", "CREDS", "GOOGLE_APPLICATION_CREDENTIALS"];
/** What calls services (CREDS) need not be what may look at them. */
const OPERATOR = CALLER.toReversed();

/** The credentials that a user of the library gives, else those that the environment names for the purpose. Throws as `findCredentials` does. */
export async function openCredentials(
  given: GivenCredentials | undefined,
  exchange: Exchange,
  purpose: "call" | "operate" = "call",
): Promise<Credentials> {
  if (typeof given === "object") return keyCredentials(parseKey(given, "The credentials object"), "the credentials option", exchange);
  if (given !== undefined) return findCredentials({ value: given, source: "the credentials option" }, exchange);
  const source = (purpose === "call" ? CALLER : OPERATOR).find((name) => exchange.env[name]);
  return findCredentials(source === undefined ? undefined : { value: exchange.env[source] ?? "", source }, exchange);
}
