import { CliError } from "../errors/cli-error.ts";

/** What is done with service accounts and their keys; a part of `Cloud`. */
export interface AccountVerbs {
  /** A service account's state. Throws NOT_FOUND for one that is not there. */
  account(options: AccountName): Promise<Account>;
  /** Throws CONFLICT where one of that name is there. */
  createAccount(options: NewAccount): Promise<Account>;
  /** Those of a project, by their addresses. */
  listAccounts(options: { readonly project: string }): Promise<readonly Account[]>;
  /** Deletes an account with its keys. Throws NOT_FOUND. */
  deleteAccount(options: AccountName): Promise<void>;
  /** Makes a key; the text of its file exists nowhere else, and is on no disk yet. Throws NOT_FOUND, ORG_POLICY. */
  createKey(options: AccountName): Promise<string>;
  /** The newest first. Throws NOT_FOUND. */
  listKeys(options: AccountName): Promise<readonly Key[]>;
  /** Throws NOT_FOUND. */
  deleteKey(options: KeyName): Promise<void>;
}

export interface AccountName {
  readonly project: string;
  /** An e-mail address. */
  readonly account: string;
}

export interface NewAccount extends AccountName {
  readonly displayName?: string;
}

export interface KeyName extends AccountName {
  /** As `private_key_id` has it in a key file. */
  readonly key: string;
}

/** A service account, in one shape whichever way it was read. */
export interface Account {
  readonly account: string;
  readonly project: string;
  readonly display_name: string | null;
  readonly unique_id: string;
  readonly disabled: boolean;
}

export interface Key {
  readonly key_id: string;
  /** RFC 3339. */
  readonly created_at: string | null;
  /** RFC 3339; null for one that is good until it is deleted. */
  readonly expires_at: string | null;
  /** Google makes and changes keys of its own, whose private halves nobody has. */
  readonly managed_by: "user" | "google";
  readonly disabled: boolean;
}

/** Google's ServiceAccount message, as far as it is read here. */
export interface AccountMessage {
  readonly email?: string;
  readonly projectId?: string;
  readonly displayName?: string;
  readonly uniqueId?: string;
  readonly disabled?: boolean;
}

/** Google's ServiceAccountKey message, as far as it is read here. */
export interface KeyMessage {
  readonly name?: string;
  readonly validAfterTime?: string;
  readonly validBeforeTime?: string;
  readonly keyType?: string;
  readonly disabled?: boolean;
}

export function readAccount({ email, projectId, displayName, uniqueId, disabled }: AccountMessage, name: Partial<AccountName>): Account {
  return {
    account: email ?? name.account ?? "",
    project: projectId ?? name.project ?? "",
    display_name: displayName || null,
    unique_id: uniqueId ?? "",
    disabled: disabled ?? false,
  };
}

export function readAccounts(messages: readonly AccountMessage[]): Account[] {
  return messages.map((message) => readAccount(message, {})).toSorted((a, b) => (a.account < b.account ? -1 : 1));
}

export function readKeys(messages: readonly KeyMessage[]): Key[] {
  const keys = messages.map(({ name = "", validAfterTime, validBeforeTime, keyType, disabled }): Key => ({
    key_id: name.split("/").at(-1) ?? "",
    created_at: validAfterTime ?? null,
    // Google writes "for ever" so.
    expires_at: validBeforeTime === undefined || validBeforeTime.startsWith("9999-") ? null : validBeforeTime,
    managed_by: keyType === "SYSTEM_MANAGED" ? "google" : "user",
    disabled: disabled ?? false,
  }));
  return keys.toSorted((a, b) => (b.created_at ?? "").localeCompare(a.created_at ?? "") || a.key_id.localeCompare(b.key_id));
}

/**
 * The e-mail address of a service account that is named by it or by the part before the @, which is one of the project's then. Throws USAGE
 * for what can be neither. https://cloud.google.com/iam/docs/service-accounts-create
 */
export function resolveAccountEmail(text: string, project: string): string {
  const name = text.replace(/^serviceAccount:/, "");
  if (/^[^\s@:/]+@[^\s@:/]+\.gserviceaccount\.com$/.test(name)) return name;
  // A domain-scoped project `example.com:name` is `name.example.com` in an address.
  const [id, domain] = project.split(":").toReversed();
  if (/^[a-z](?:[a-z0-9-]{4,28})[a-z0-9]$/.test(name)) return `${name}@${[id, domain].filter(Boolean).join(".")}.iam.gserviceaccount.com`;
  throw new CliError("USAGE", `"${text}" is no service account.`, {
    hint: "Say its e-mail address, or its name: 6 to 30 lower-case letters, digits and dashes, a letter first.",
  });
}

/** What a call that named an account, and maybe a key of it, failed with; NOT_FOUND says what there is not. */
export function explainMissingAccount(error: unknown, { account, key }: { readonly account: string; readonly key?: string }): unknown {
  if (!(error instanceof CliError) || error.code !== "NOT_FOUND") return error;
  const isKey = key !== undefined && /\bkey\b/i.test(`${error.message} ${String((error.cause as Error | undefined)?.message ?? "")}`);
  return new CliError("NOT_FOUND", isKey ? `${account} has no key ${key}.` : `There is no service account ${account}.`, {
    hint: isKey
      ? `See those that it has: cloudrun-oauth keys list --account ${account}`
      : "See those that are: cloudrun-oauth accounts list. One that has just been made takes a minute to be known everywhere.",
    cause: error.cause,
    subject: isKey ? { kind: "key", name: key } : { kind: "account", name: account },
    details: { account, ...(isKey && { key_id: key }) },
  });
}
