import { findCredentials } from "../auth/find-credentials.ts";
import { readCredentialObject } from "../auth/credential-file.ts";
import type { Credentials } from "../auth/credentials.ts";
import type { AuthContext } from "../auth/auth-context.ts";
import { CREDENTIAL_VARIABLES } from "../settings/inline-credentials.ts";

/** The path of a credential file of any type, or its content. */
export type GivenCredentials = string | Readonly<Record<string, unknown>>;

/** CREDS is missing: the account that calls services can lack access to the control plane. */
const OPERATOR_VARIABLES = ["GOOGLE_APPLICATION_CREDENTIALS", ...CREDENTIAL_VARIABLES] as const;

/** Opens the given credentials, or else finds them as the command line does. Throws as `findCredentials` does. */
export async function openCredentials(
  given: GivenCredentials | undefined,
  context: AuthContext,
  purpose: "call" | "operate" = "call",
): Promise<Credentials> {
  if (typeof given === "object") return readCredentialObject(given, context);
  if (given !== undefined) return findCredentials({ value: given, source: "the credentials option" }, context);
  const source = (purpose === "call" ? CREDENTIAL_VARIABLES : OPERATOR_VARIABLES).find((name) => context.env[name]);
  return findCredentials(source === undefined ? undefined : { value: context.env[source] ?? "", source }, context);
}
