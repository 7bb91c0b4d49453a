import { CliError } from "../errors/cli-error.ts";
import { nextStep } from "../errors/next-step.ts";

export interface AccountVerbs {
  /** Throws NOT_FOUND if the account doesn't exist. */
  account(options: AccountName): Promise<Account>;
  /** Throws CONFLICT if an account of that name exists. */
  createAccount(options: NewAccount): Promise<Account>;
  listAccounts(options: { readonly project: string }): Promise<readonly Account[]>;
  /** Deletes an account with its keys. Throws NOT_FOUND. */
  deleteAccount(options: AccountName): Promise<void>;
  /** Creates a key; returns the text of its key file, which is stored nowhere. Throws NOT_FOUND, ORG_POLICY. */
  createKey(options: AccountName): Promise<string>;
  /** The newest key first. Throws NOT_FOUND. */
  listKeys(options: AccountName): Promise<readonly Key[]>;
  /** Throws NOT_FOUND. */
  deleteKey(options: KeyName): Promise<void>;
}

export interface AccountName {
  readonly project: string;
  readonly account: string;
}

export interface NewAccount extends AccountName {
  readonly displayName?: string;
}

export interface KeyName extends AccountName {
  /** The `private_key_id` of a key file. */
  readonly key: string;
}

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
  /** RFC 3339; null if the key is valid until it is deleted. */
  readonly expires_at: string | null;
  /** Google also creates and rotates keys, and never shows their private halves. */
  readonly managed_by: "user" | "google";
  readonly disabled: boolean;
}

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts */
export interface AccountMessage {
  readonly email?: string;
  readonly projectId?: string;
  readonly displayName?: string;
  readonly uniqueId?: string;
  readonly disabled?: boolean;
}

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys */
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
    // The year in which Google's keys without an expiry date expire.
    expires_at: validBeforeTime === undefined || validBeforeTime.startsWith("9999-") ? null : validBeforeTime,
    managed_by: keyType === "SYSTEM_MANAGED" ? "google" : "user",
    disabled: disabled ?? false,
  }));
  return keys.toSorted((a, b) => (b.created_at ?? "").localeCompare(a.created_at ?? "") || a.key_id.localeCompare(b.key_id));
}

/** The email address of an account, from its address or its ID in the project. Throws USAGE. https://cloud.google.com/iam/docs/service-accounts-create */
export function resolveAccountEmail(text: string, project: string): string {
  const name = text.replace(/^serviceAccount:/, "");
  if (/^[^\s@:/]+@[^\s@:/]+\.gserviceaccount\.com$/.test(name)) return name;
  // A domain-scoped project `example.com:name` is `name.example.com` in an address.
  const [id, domain] = project.split(":").toReversed();
  if (/^[a-z](?:[a-z0-9-]{4,28})[a-z0-9]$/.test(name)) return `${name}@${[id, domain].filter(Boolean).join(".")}.iam.gserviceaccount.com`;
  throw new CliError("USAGE", `Invalid service account "${text}".`, {
    hint: "Use an email address or an account ID: 6–30 lowercase letters, digits, and hyphens, starting with a letter.",
  });
}

/** The error of a call that named an account, or a key of it: NOT_FOUND says which of them doesn't exist. */
export function explainMissingAccount(error: unknown, { account, key }: { readonly account: string; readonly key?: string }): unknown {
  if (!(error instanceof CliError) || error.code !== "NOT_FOUND") return error;
  const isKey = key !== undefined && /\bkey\b/i.test(`${error.message} ${String((error.cause as Error | undefined)?.message ?? "")}`);
  return new CliError("NOT_FOUND", isKey ? `Key "${key}" not found for ${account}.` : `Service account ${account} not found.`, {
    ...(!isKey && { hint: "New service accounts can take up to a minute to become available." }),
    next: isKey
      ? [nextStep("To list keys", "keys", "list", "--account", account)]
      : [nextStep("To list service accounts", "accounts", "list")],
    cause: error.cause,
    subject: isKey ? { kind: "key", name: key } : { kind: "account", name: account },
    details: { account, ...(isKey && { key_id: key }) },
  });
}
