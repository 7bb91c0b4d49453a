import { CliError } from "../../errors/cli-error.ts";
import {
  explainMissingAccount,
  readAccount,
  readAccounts,
  readKeys,
  type AccountMessage,
  type AccountName,
  type KeyMessage,
  type KeyName,
  type NewAccount,
} from "../accounts.ts";
import type { ProjectName } from "../names.ts";
import { defineVerb } from "../verb.ts";
import { requestLine, type ApiClient, type ApiRequest } from "./client.ts";
import { requestVerb, type ClientFor } from "./request-verb.ts";

const IAM = "https://iam.googleapis.com/v1";

interface AccountInProject {
  readonly project: string;
  /** One of the project's own. */
  readonly email: string;
  readonly displayName?: string;
  readonly description?: string;
}

/** Service accounts and their keys. https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts */
export function accountVerbs(clientFor: ClientFor) {
  return {
    account: requestVerb(clientFor, {
      request: ({ account }: AccountName) => ({ method: "GET", url: accountUrl(account) }),
      read: (message: AccountMessage, options) => readAccount(message, options),
      explain: explainMissingAccount,
    }),
    createAccount: requestVerb(clientFor, {
      request: ({ account, ...options }: NewAccount) => createAccountRequest({ ...options, email: account }),
      read: (message: AccountMessage, options) => readAccount(message, options),
    }),
    listAccounts: defineVerb({
      plan: (options: ProjectName) => [requestLine(listAccountsRequest(options))],
      async run(options) {
        const accounts: AccountMessage[] = [];
        for (let token = ""; ;) {
          const page = await clientFor(options).call<AccountPage>(listAccountsRequest(options, token));
          accounts.push(...(page.accounts ?? []));
          if (!page.nextPageToken) return readAccounts(accounts);
          token = page.nextPageToken;
        }
      },
    }),
    deleteAccount: requestVerb(clientFor, {
      request: ({ account }: AccountName) => ({ method: "DELETE", url: accountUrl(account) }),
      read: () => {},
      explain: explainMissingAccount,
    }),
    createKey: requestVerb(clientFor, {
      request: ({ account }: AccountName) => ({ method: "POST", url: `${accountUrl(account)}/keys`, body: {} }),
      read: (message: KeyFileMessage) => readKeyFile(message),
      explain: explainMissingAccount,
    }),
    listKeys: requestVerb(clientFor, {
      request: ({ account }: AccountName) => ({ method: "GET", url: `${accountUrl(account)}/keys` }),
      read: ({ keys = [] }: { readonly keys?: readonly KeyMessage[] }) => readKeys(keys),
      explain: explainMissingAccount,
    }),
    deleteKey: requestVerb(clientFor, {
      request: ({ account, key }: KeyName) => ({ method: "DELETE", url: `${accountUrl(account)}/keys/${encodeURIComponent(key)}` }),
      read: () => {},
      explain: (error, options) => explainMissingAccount(error, options),
    }),
  };
}

interface KeyFileMessage {
  /** The key file, in Base64. */
  readonly privateKeyData: string;
}

interface AccountPage {
  readonly accounts?: readonly AccountMessage[];
  readonly nextPageToken?: string;
}

/** Creates a service account if it is missing; returns whether it was. */
export async function ensureAccount(client: ApiClient, account: AccountInProject): Promise<boolean> {
  try {
    await client.call(createAccountRequest(account));
    return true;
  } catch (error) {
    if (error instanceof CliError && error.code === "CONFLICT") return false;
    throw error;
  }
}

/** Creates a key for a service account; resolves with the text of its key file, which exists nowhere else. */
export async function createKeyFile(client: ApiClient, { project, email }: AccountInProject): Promise<string> {
  return readKeyFile(await client.call({ method: "POST", url: `${IAM}/projects/${project}/serviceAccounts/${email}/keys`, body: {} }));
}

export function createAccountRequest({ project, email, displayName, description }: AccountInProject): ApiRequest {
  const body = { accountId: email.split("@")[0], serviceAccount: { displayName, description } };
  return { method: "POST", url: `${IAM}/projects/${project}/serviceAccounts`, body };
}

function listAccountsRequest({ project }: ProjectName, pageToken?: string): ApiRequest {
  const page = pageToken ? `&pageToken=${encodeURIComponent(pageToken)}` : "";
  return { method: "GET", url: `${IAM}/projects/${project}/serviceAccounts?pageSize=100${page}` };
}

/** As in gcloud, whichever project the account is in. */
function accountUrl(account: string): string {
  return `${IAM}/projects/-/serviceAccounts/${encodeURIComponent(account).replace("%40", "@")}`;
}

function readKeyFile({ privateKeyData }: KeyFileMessage): string {
  return Buffer.from(privateKeyData, "base64").toString("utf8");
}
