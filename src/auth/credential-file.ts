import { CliError } from "../errors/cli-error.ts";
import type { Credentials } from "./credentials.ts";
import type { Exchange } from "./service-account-tokens.ts";
import { isFields, type Fields } from "./field-reader.ts";
import { parseJson, readJsonFile } from "./key-file.ts";
import { userCredentials } from "./credential-types/authorized-user.ts";
import { externalCredentials } from "./credential-types/external-account.ts";
import { assertImpersonationHost, impersonate, readImpersonated } from "./credential-types/impersonated-service-account.ts";
import { keyCredentials } from "./credential-types/service-account.ts";
import { parseKey } from "./service-account-key.ts";

type Kind = (value: Fields, origin: string, subject: string, exchange: Exchange) => Credentials;

/** By the file's `type`; a service account's key is whatever is none of these. */
const KINDS: Readonly<Record<string, Kind>> = {
  authorized_user: userCredentials,
  external_account: externalCredentials,
  impersonated_service_account: impersonatedCredentials,
};

/** Reads a credential file of any kind. `source` is what named the file. Throws CliError CREDENTIALS_MISSING and CREDENTIALS_INVALID. */
export async function readCredentialFile(path: string, source: string, exchange: Exchange): Promise<Credentials> {
  const value = await readJsonFile(path, `The key file ${path}`);
  return { ...credentialsOf(value, `${path} (${source})`, `file ${path}`, exchange), file: path };
}

/** The same of what a variable holds in place of a file's path: `text` is JSON, or should be, and is never repeated. */
export function readInlineCredentials(text: string, source: string, exchange: Exchange): Credentials {
  const subject = `The credential in ${source}`;
  if (text.trim() === "") throw new CliError("CREDENTIALS_MISSING", `${subject} is empty.`);
  return credentialsOf(parseJson(text, subject), source, `credential in ${source}`, exchange);
}

/** The same of an object that a program hands over. */
export function objectCredentials(value: Fields, exchange: Exchange): Credentials {
  return credentialsOf(value, "the credentials option", "credentials object", exchange);
}

function credentialsOf(value: unknown, origin: string, what: string, exchange: Exchange): Credentials {
  const type = isFields(value) ? value["type"] : undefined;
  const kind = typeof type === "string" && Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
  if (kind) return kind(value as Fields, origin, what.startsWith("file") ? `The credential ${what}` : `The ${what}`, exchange);
  return keyCredentials(parseKey(value, what.startsWith("file") ? `The key ${what}` : `The ${what}`), origin, exchange);
}

function impersonatedCredentials(value: Fields, origin: string, subject: string, exchange: Exchange): Credentials {
  const { chain, endpoint, source, fields } = readImpersonated(value, subject);
  assertImpersonationHost(endpoint, subject, exchange.env);
  if (source["type"] === "impersonated_service_account")
    throw fields.invalid("has source_credentials that are an impersonation themselves");
  return impersonate(
    credentialsOf(source, origin, `source_credentials of the ${subject.replace(/^The /, "")}`, exchange),
    chain,
    exchange,
    endpoint,
  );
}
