import { findCredentials } from "../auth/find-credentials.ts";
import { readCredentialObject } from "../auth/credential-file.ts";
import type { Credentials } from "../auth/credentials.ts";
import type { AuthContext } from "../auth/auth-context.ts";
import { CREDENTIAL_VARIABLES } from "../settings/inline-credentials.ts";

/** The path of a credential file of any kind, or what it holds. */
export type GivenCredentials = string | Readonly<Record<string, unknown>>;

/** What calls services (CREDS) need not be what may look at them. */
const OPERATOR_VARIABLES = ["GOOGLE_APPLICATION_CREDENTIALS", ...CREDENTIAL_VARIABLES] as const;

/** The credentials that a user of the library gives, else those that are found as the command line finds them. Throws as `findCredentials` does. */
export async function openCredentials(
  given: GivenCredentials | undefined,
  exchange: AuthContext,
  purpose: "call" | "operate" = "call",
): Promise<Credentials> {
  if (typeof given === "object") return readCredentialObject(given, exchange);
  if (given !== undefined) return findCredentials({ value: given, source: "the credentials option" }, exchange);
  const source = (purpose === "call" ? CREDENTIAL_VARIABLES : OPERATOR_VARIABLES).find((name) => exchange.env[name]);
  return findCredentials(source === undefined ? undefined : { value: exchange.env[source] ?? "", source }, exchange);
}
