import type { KeyObject } from "node:crypto";
import { CliError } from "../errors/cli-error.ts";
import { nextStep, type NextStep } from "../errors/next-step.ts";
import { parsePrivateKey } from "./private-key.ts";

/** A service account's key; fields of the key file keep their spelling. See https://cloud.google.com/iam/docs/keys-create-delete */
export interface ServiceAccountKey {
  readonly client_email: string;
  readonly private_key_id: string;
  readonly private_key: KeyObject;
  /** The token endpoint, which is also the assertion's audience. */
  readonly token_uri: string;
}

export function createKeyStep(account = "ACCOUNT"): NextStep {
  return nextStep("To create a key", "keys", "create", "--account", account);
}

/** Descriptions of other credentials, by their `type`. */
const OTHER_KINDS: Readonly<Record<string, string>> = {
  authorized_user: "contains a user login",
  external_account: "contains a workload identity federation configuration",
  external_account_authorized_user: "contains a workforce identity federation configuration",
  impersonated_service_account: "contains an impersonation configuration",
  gdch_service_account: "contains a Google Distributed Cloud key",
};

const FIELDS = ["client_email", "private_key", "private_key_id", "token_uri"] as const;

/**
 * Validates the content of a key file. `subject` begins the sentence of an error: "Key file /path".
 * Throws CliError CREDENTIALS_INVALID with the first fault.
 */
export function parseServiceAccountKey(value: unknown, subject: string): ServiceAccountKey {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalidCredentials(subject, "isn't a JSON object");
  const fields = value as Readonly<Record<string, unknown>>;
  assertKind(fields, subject);
  const [client_email, pem, private_key_id, token_uri] = FIELDS.map((name) => requireText(fields, name, subject)) as [
    string,
    string,
    string,
    string,
  ];
  if (!/^[\x21-\x3f\x41-\x7e]+@[\x21-\x3f\x41-\x7e]+$/.test(client_email)) throw invalidCredentials(subject, "has an invalid client_email");
  if (!URL.canParse(token_uri))
    throw invalidCredentials(subject, "has an invalid token_uri", "Google's is https://oauth2.googleapis.com/token.");
  return { client_email, private_key_id, private_key: parsePrivateKey(pem, subject), token_uri };
}

/** The error for a credential that exists but can't be used. */
export function invalidCredentials(subject: string, fault: string, help: string | NextStep = createKeyStep()): CliError {
  return new CliError("CREDENTIALS_INVALID", `${subject} ${fault}.`, typeof help === "string" ? { hint: help } : { next: [help] });
}

function assertKind(fields: Readonly<Record<string, unknown>>, subject: string): void {
  const { type } = fields;
  if (type === "service_account") return;
  if (typeof type === "string" && Object.hasOwn(OTHER_KINDS, type))
    throw invalidCredentials(subject, `${OTHER_KINDS[type]}, not a service account key`);
  if (type === undefined && ("installed" in fields || "web" in fields)) {
    throw invalidCredentials(subject, "contains an OAuth client secret, not a service account key");
  }
  if (type === undefined) throw invalidCredentials(subject, 'has no "type": expected "service_account"');
  // Quotes only what looks like a type: the key can be in the wrong field.
  const shown = typeof type === "string" && /^[a-z_]{1,40}$/.test(type) ? `type "${type}"` : "another type";
  throw invalidCredentials(subject, `has ${shown}: expected "service_account"`);
}

function requireText(fields: Readonly<Record<string, unknown>>, name: string, subject: string): string {
  const value = fields[name];
  if (value === undefined) throw invalidCredentials(subject, `has no "${name}"`);
  if (typeof value !== "string" || value.trim() === "")
    throw invalidCredentials(subject, `has ${value === "" ? "an empty" : "an invalid"} "${name}"`);
  return value;
}
