import { CliError } from "../../errors/cli-error.ts";
import {
  missing,
  readAccount,
  readAccounts,
  readKeys,
  type AccountMessage,
  type AccountStep,
  type AccountVerbs,
  type KeyMessage,
} from "../accounts.ts";
import type { ApiClient, ApiRequest } from "./client.ts";
import type { Place } from "../names.ts";

const IAM = "https://iam.googleapis.com/v1";

interface NamedAccount {
  readonly project: string;
  readonly email: string;
  readonly displayName?: string;
  readonly description?: string;
}

type Requests = { readonly [Name in AccountStep]: (options: Parameters<AccountVerbs[Name]>[0]) => readonly ApiRequest[] };

/** The requests of each verb. https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts */
export const accountRequests: Requests = {
  createAccount: ({ account, project, displayName }) => [creation({ project, email: account, displayName })],
  listAccounts: ({ project }) => [{ method: "GET", url: `${IAM}/projects/${project}/serviceAccounts?pageSize=100` }],
  deleteAccount: ({ account }) => [{ method: "DELETE", url: accountUrl(account) }],
  createKey: ({ account }) => [{ method: "POST", url: `${accountUrl(account)}/keys`, body: {} }],
  listKeys: ({ account }) => [{ method: "GET", url: `${accountUrl(account)}/keys` }],
  deleteKey: ({ account, key }) => [{ method: "DELETE", url: `${accountUrl(account)}/keys/${encodeURIComponent(key)}` }],
};

/** Service accounts and their keys by Google's IAM API. */
export function createAccounts(clientOf: (place: Place) => ApiClient): AccountVerbs {
  const send = async (request: ApiRequest | undefined, options: { project: string; account?: string; key?: string }): Promise<unknown> => {
    const client = clientOf({ project: options.project, region: "global" });
    return client.call(request as ApiRequest).catch((error: unknown) => {
      const { account, key } = options;
      throw account === undefined ? error : missing(error, { account, ...(key !== undefined && { key }) });
    });
  };
  return {
    account: async (options) =>
      readAccount((await send({ method: "GET", url: accountUrl(options.account) }, options)) as AccountMessage, options),
    createAccount: async (options) =>
      readAccount((await send(accountRequests.createAccount(options)[0], { project: options.project })) as AccountMessage, options),
    async listAccounts(options) {
      const [first] = accountRequests.listAccounts(options);
      const found: AccountMessage[] = [];
      for (let token = ""; ;) {
        const url = `${first?.url ?? ""}${token && `&pageToken=${encodeURIComponent(token)}`}`;
        const page = (await send({ method: "GET", url }, options)) as { accounts?: AccountMessage[]; nextPageToken?: string };
        found.push(...(page.accounts ?? []));
        if (!page.nextPageToken) return readAccounts(found);
        token = page.nextPageToken;
      }
    },
    deleteAccount: async (options) => void (await send(accountRequests.deleteAccount(options)[0], options)),
    createKey: async (options) => keyFileOf(await send(accountRequests.createKey(options)[0], options)),
    async listKeys(options) {
      const { keys = [] } = (await send(accountRequests.listKeys(options)[0], options)) as { readonly keys?: readonly KeyMessage[] };
      return readKeys(keys);
    },
    deleteKey: async (options) => void (await send(accountRequests.deleteKey(options)[0], options)),
  };
}

/** Makes a service account where it is missing; true where it was. `email` is one of the project's own. */
export async function ensureAccount(client: ApiClient, account: NamedAccount): Promise<boolean> {
  try {
    await client.call(creation(account));
    return true;
  } catch (error) {
    if (error instanceof CliError && error.code === "CONFLICT") return false;
    throw error;
  }
}

/** Makes a key for a service account; resolves with the text of its key file, which exists nowhere else. */
export async function createKeyFile(client: ApiClient, { project, email }: NamedAccount): Promise<string> {
  return keyFileOf(await client.call({ method: "POST", url: `${IAM}/projects/${project}/serviceAccounts/${email}/keys`, body: {} }));
}

function creation({ project, email, displayName, description }: NamedAccount): ApiRequest {
  const body = { accountId: email.split("@")[0], serviceAccount: { displayName, description } };
  return { method: "POST", url: `${IAM}/projects/${project}/serviceAccounts`, body };
}

/** As gcloud has it too: whichever project the account is of. */
function accountUrl(account: string): string {
  return `${IAM}/projects/-/serviceAccounts/${encodeURIComponent(account).replace("%40", "@")}`;
}

function keyFileOf(answer: unknown): string {
  const { privateKeyData } = answer as { readonly privateKeyData: string };
  return Buffer.from(privateKeyData, "base64").toString("utf8");
}
