import { missing, readAccount, readAccounts, readKeys, type AccountName, type AccountStep, type AccountVerbs } from "../accounts.ts";
import type { Gcloud } from "./process.ts";

type Lines = { readonly [Name in AccountStep]: (options: Parameters<AccountVerbs[Name]>[0]) => readonly (readonly string[])[] };

const IAM = ["iam", "service-accounts"] as const;

/** The gcloud lines of each verb. */
export const accountLines: Lines = {
  createAccount: ({ account, project, displayName }) => [
    [
      ...IAM,
      "create",
      account.split("@")[0] ?? "",
      ...(displayName === undefined ? [] : ["--display-name", displayName]),
      ...inProject(project),
    ],
  ],
  listAccounts: ({ project }) => [[...IAM, "list", ...inProject(project)]],
  deleteAccount: ({ account, project }) => [[...IAM, "delete", account, ...inProject(project)]],
  // To stdout, which is a pipe of ours: gcloud writes the key to no file, and not into its own log. A format would add to it.
  createKey: ({ account, project }) => [[...IAM, "keys", "create", "-", "--iam-account", account, "--project", project, "--quiet"]],
  listKeys: ({ account, project }) => [[...IAM, "keys", "list", "--iam-account", account, ...inProject(project)]],
  deleteKey: ({ account, key, project }) => [[...IAM, "keys", "delete", key, "--iam-account", account, ...inProject(project)]],
};

/** Service accounts and their keys by the real gcloud. */
export function createAccounts(gcloud: Gcloud): AccountVerbs {
  const run = async <Name extends AccountStep>(step: Name, options: Parameters<AccountVerbs[Name]>[0]): Promise<string> => {
    const [line = []] = accountLines[step](options as never);
    // gcloud says of each of these what it has done; that is said here in our own words.
    return gcloud(line, { isProbe: true }).catch((error: unknown) => {
      throw "account" in options ? missing(error, options) : error;
    });
  };
  const describe = async (options: AccountName) => {
    const line = [...IAM, "describe", options.account, ...inProject(options.project)];
    const text = await gcloud(line, { isProbe: true }).catch((error: unknown) => {
      throw missing(error, options);
    });
    return readAccount(JSON.parse(text), options);
  };
  return {
    account: describe,
    async createAccount(options) {
      const text = await run("createAccount", options);
      return text.trim() === "" ? describe(options) : readAccount(JSON.parse(text), options);
    },
    listAccounts: async (options) => readAccounts(JSON.parse(await run("listAccounts", options))),
    deleteAccount: async (options) => void (await run("deleteAccount", options)),
    createKey: (options) => run("createKey", options),
    listKeys: async (options) => readKeys(JSON.parse(await run("listKeys", options))),
    deleteKey: async (options) => void (await run("deleteKey", options)),
  };
}

function inProject(project: string): string[] {
  return ["--project", project, "--quiet", "--format=json"];
}
