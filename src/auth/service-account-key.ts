import type { KeyObject } from "node:crypto";
import { CliError } from "../errors/cli-error.ts";
import { parsePrivateKey } from "./private-key.ts";

/** A service account's key; fields of the key file keep their spelling. See https://cloud.google.com/iam/docs/keys-create-delete */
export interface ServiceAccountKey {
  readonly client_email: string;
  readonly private_key_id: string;
  readonly private_key: KeyObject;
  /** The token endpoint, which is also the assertion's audience. */
  readonly token_uri: string;
}

export const CREATE_KEY_COMMAND = "gcloud iam service-accounts keys create key.json --iam-account NAME@PROJECT.iam.gserviceaccount.com";

/** Descriptions of other credentials, by their `type`. */
const OTHER_KINDS: Readonly<Record<string, string>> = {
  authorized_user: "holds a person's login (gcloud auth application-default login), not a service account's key",
  external_account: "holds workload identity federation's configuration, not a service account's key",
  external_account_authorized_user: "holds workforce identity federation's configuration, not a service account's key",
  impersonated_service_account: "holds an impersonation's configuration, not a service account's key",
  gdch_service_account: "holds a key for Google Distributed Cloud, not for Google Cloud",
};

const FIELDS = ["client_email", "private_key", "private_key_id", "token_uri"] as const;

/**
 * Validates the content of a key file. `subject` begins the sentence of an error: "The key file /path".
 * Throws CliError CREDENTIALS_INVALID with the first fault.
 */
export function parseServiceAccountKey(value: unknown, subject: string): ServiceAccountKey {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalidCredentials(subject, "holds no JSON object", CREATE_KEY_COMMAND);
  const fields = value as Readonly<Record<string, unknown>>;
  assertKind(fields, subject);
  const [client_email, pem, private_key_id, token_uri] = FIELDS.map((name) => requireText(fields, name, subject)) as [
    string,
    string,
    string,
    string,
  ];
  if (!/^[\x21-\x3f\x41-\x7e]+@[\x21-\x3f\x41-\x7e]+$/.test(client_email))
    throw invalidCredentials(subject, "has a client_email that is no e-mail address", CREATE_KEY_COMMAND);
  if (!URL.canParse(token_uri))
    throw invalidCredentials(subject, "has a token_uri that is no URL", "Google's is https://oauth2.googleapis.com/token");
  return { client_email, private_key_id, private_key: parsePrivateKey(pem, subject), token_uri };
}

/** The error for a credential that exists but can't be used. */
export function invalidCredentials(subject: string, fault: string, hint?: string): CliError {
  return new CliError("CREDENTIALS_INVALID", `${subject} ${fault}.`, hint === undefined ? {} : { hint });
}

function assertKind(fields: Readonly<Record<string, unknown>>, subject: string): void {
  const { type } = fields;
  if (type === "service_account") return;
  if (typeof type === "string" && Object.hasOwn(OTHER_KINDS, type))
    throw invalidCredentials(subject, OTHER_KINDS[type] as string, CREATE_KEY_COMMAND);
  if (type === undefined && ("installed" in fields || "web" in fields)) {
    throw invalidCredentials(subject, "holds an OAuth client's secret, not a service account's key", CREATE_KEY_COMMAND);
  }
  if (type === undefined)
    throw invalidCredentials(subject, 'has no "type", which is "service_account" in a service account\'s key file', CREATE_KEY_COMMAND);
  // Quotes only what looks like a type: the key can be in the wrong field.
  const named =
    typeof type === "string" && /^[a-z_]{1,40}$/.test(type) ? `is of the type "${type}"` : "has another type than service_account";
  throw invalidCredentials(subject, `${named}; a service account's key file is needed`, CREATE_KEY_COMMAND);
}

function requireText(fields: Readonly<Record<string, unknown>>, name: string, subject: string): string {
  const value = fields[name];
  if (value === undefined) throw invalidCredentials(subject, `has no "${name}"`, CREATE_KEY_COMMAND);
  if (typeof value !== "string" || value.trim() === "")
    throw invalidCredentials(subject, `has a "${name}" that is ${value === "" ? "empty" : "not text"}`, CREATE_KEY_COMMAND);
  return value;
}
