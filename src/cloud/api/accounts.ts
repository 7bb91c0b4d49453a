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
import { listAll } from "./list-all.ts";
import { requestVerb, type ClientFor } from "./request-verb.ts";

const IAM = "https://iam.googleapis.com/v1";

interface AccountInProject {
  readonly project: string;
  readonly email: string;
  readonly displayName?: string;
  readonly description?: string;
}

/** Service accounts and their keys. https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts */
export function accountVerbs(clientFor: ClientFor) {
  const verb = <Options extends AccountName, Message, Result>(
    method: "GET" | "POST" | "DELETE",
    path: (options: Options) => string,
    read: (message: Message, options: Options) => Result,
  ) =>
    requestVerb(clientFor, {
      request: (options: Options) => ({
        method,
        url: `${accountUrl(options.account)}${path(options)}`,
        ...(method === "POST" && { body: {} }),
      }),
      read,
      explain: explainMissingAccount,
    });
  const toAccount = () => "";
  const toKeys = () => "/keys";
  return {
    account: verb("GET", toAccount, readAccount),
    createAccount: requestVerb(clientFor, {
      request: ({ account, ...options }: NewAccount) => createAccountRequest({ ...options, email: account }),
      read: readAccount,
    }),
    listAccounts: defineVerb({
      plan: (options: ProjectName) => [requestLine(listAccountsRequest(options))],
      run: async (options) =>
        readAccounts(await listAll<AccountMessage>(clientFor(options), "accounts", (token) => listAccountsRequest(options, token))),
    }),
    deleteAccount: verb("DELETE", toAccount, () => {}),
    createKey: verb("POST", toKeys, readKeyFile),
    listKeys: verb("GET", toKeys, ({ keys = [] }: { readonly keys?: readonly KeyMessage[] }) => readKeys(keys)),
    deleteKey: verb(
      "DELETE",
      ({ key }: KeyName) => `/keys/${encodeURIComponent(key)}`,
      () => {},
    ),
  };
}

interface KeyFileMessage {
  readonly privateKeyData: string;
}

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
