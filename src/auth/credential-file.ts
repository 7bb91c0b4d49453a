import { CliError } from "../errors/cli-error.ts";
import type { Credentials } from "./credentials.ts";
import type { AuthContext } from "./auth-context.ts";
import { isJsonObject, type JsonObject } from "./json-object.ts";
import { parseJson, readJsonFile } from "./key-file.ts";
import { readAuthorizedUser } from "./credential-types/authorized-user.ts";
import { readExternalAccount } from "./credential-types/external-account.ts";
import { assertImpersonationHost, impersonate, readImpersonatedServiceAccount } from "./credential-types/impersonated-service-account.ts";
import { serviceAccountCredentials } from "./credential-types/service-account.ts";
import { parseServiceAccountKey } from "./service-account-key.ts";

type ReadCredentialType = (value: JsonObject, origin: string, subject: string, context: AuthContext) => Credentials;

/** By the file's `type`; anything else is read as a service account's key. */
const CREDENTIAL_TYPES: Readonly<Record<string, ReadCredentialType>> = {
  authorized_user: readAuthorizedUser,
  external_account: readExternalAccount,
  impersonated_service_account: impersonatedCredentials,
};

/** Reads a credential file of any type. `source` is the setting that names it. Throws CliError CREDENTIALS_MISSING or CREDENTIALS_INVALID. */
export async function readCredentialFile(path: string, source: string, context: AuthContext): Promise<Credentials> {
  const value = await readJsonFile(path, `Key file ${path}`);
  return { ...readCredentials(value, `${path} (${source})`, `file ${path}`, context), file: path };
}

/** Reads credentials from a variable's value: `text` should be JSON; errors never quote it. Throws as `readCredentialFile` does. */
export function readInlineCredentials(text: string, source: string, context: AuthContext): Credentials {
  const subject = `Credential in ${source}`;
  if (text.trim() === "") throw new CliError("CREDENTIALS_MISSING", `${subject} is empty.`);
  return readCredentials(parseJson(text, subject), source, `credential in ${source}`, context);
}

/** Reads credentials from a program's object. Throws as `readCredentialFile` does. */
export function readCredentialObject(value: JsonObject, context: AuthContext): Credentials {
  return readCredentials(value, "the credentials option", "credentials object", context);
}

function readCredentials(value: unknown, origin: string, what: string, context: AuthContext): Credentials {
  const type = isJsonObject(value) ? value["type"] : undefined;
  const kind = typeof type === "string" && Object.hasOwn(CREDENTIAL_TYPES, type) ? CREDENTIAL_TYPES[type] : undefined;
  const subject = (adjective: string) => (what.startsWith("file") ? `${adjective} ${what}` : what.replace(/^c/, "C"));
  if (kind) return kind(value as JsonObject, origin, subject("Credential"), context);
  return serviceAccountCredentials(parseServiceAccountKey(value, subject("Key")), origin, context);
}

function impersonatedCredentials(value: JsonObject, origin: string, subject: string, context: AuthContext): Credentials {
  const { chain, endpoint, source, fields } = readImpersonatedServiceAccount(value, subject);
  assertImpersonationHost(endpoint, subject, context.env);
  if (source["type"] === "impersonated_service_account") throw fields.invalid("has nested impersonation in source_credentials");
  const what = `source_credentials in ${subject.charAt(0).toLowerCase()}${subject.slice(1)}`;
  return impersonate(readCredentials(source, origin, what, context), chain, context, endpoint);
}
