import {
  explainMissingAccount,
  readAccount,
  readAccounts,
  readKeys,
  type AccountName,
  type KeyName,
  type NewAccount,
} from "../accounts.ts";
import type { ProjectName } from "../names.ts";
import { defineVerb } from "../verb.ts";
import { commandVerb, flag, jsonCommand, parseGcloudJson } from "./command.ts";
import { gcloudLine, type Gcloud } from "./process.ts";

/** Service accounts and their keys. gcloud reports what it has done; commands say that in our own words. */
export function accountVerbs(gcloud: Gcloud) {
  const account = commandVerb(gcloud, {
    args: ({ account: email, project }: AccountName) => jsonCommand([...IAM, "describe", email], { project }),
    isProbe: true,
    read: (stdout, options) => readAccount(parseGcloudJson(stdout), options),
    explain: explainMissingAccount,
  });
  return {
    account,
    createAccount: defineVerb({
      plan: (options: NewAccount) => [gcloudLine(createAccountArgs(options))],
      async run(options) {
        const stdout = await gcloud(createAccountArgs(options), { isProbe: true }).catch((error: unknown) => {
          throw explainMissingAccount(error, options);
        });
        return stdout.trim() === "" ? account(options) : readAccount(parseGcloudJson(stdout), options);
      },
    }),
    listAccounts: commandVerb(gcloud, {
      args: ({ project }: ProjectName) => jsonCommand([...IAM, "list"], { project }),
      isProbe: true,
      read: (stdout) => readAccounts(parseGcloudJson(stdout)),
    }),
    deleteAccount: commandVerb(gcloud, {
      args: ({ account: email, project }: AccountName) => jsonCommand([...IAM, "delete", email], { project }),
      isProbe: true,
      read: () => {},
      explain: explainMissingAccount,
    }),
    createKey: commandVerb(gcloud, {
      // gcloud prints the key to our pipe: it writes no file, and nothing to its own log. With a format it would print
      // more than the key.
      args: ({ account: email, project }: AccountName) => [
        ...IAM,
        "keys",
        "create",
        "-",
        "--iam-account",
        email,
        "--project",
        project,
        "--quiet",
      ],
      isProbe: true,
      read: (stdout) => stdout,
      explain: explainMissingAccount,
    }),
    listKeys: commandVerb(gcloud, {
      args: ({ account: email, project }: AccountName) => jsonCommand([...IAM, "keys", "list", "--iam-account", email], { project }),
      isProbe: true,
      read: (stdout) => readKeys(parseGcloudJson(stdout)),
      explain: explainMissingAccount,
    }),
    deleteKey: commandVerb(gcloud, {
      args: ({ account: email, key, project }: KeyName) =>
        jsonCommand([...IAM, "keys", "delete", key, "--iam-account", email], { project }),
      isProbe: true,
      read: () => {},
      explain: explainMissingAccount,
    }),
  };
}

const IAM = ["iam", "service-accounts"];

export function createAccountArgs({ account, project, displayName }: NewAccount): string[] {
  const [name = ""] = account.split("@");
  return jsonCommand([...IAM, "create", name, ...flag("--display-name", displayName)], { project });
}
