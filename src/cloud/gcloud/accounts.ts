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

export function accountVerbs(gcloud: Gcloud) {
  const verb = <Options extends AccountName, Result>(
    args: (options: Options) => string[],
    read: (stdout: string, options: Options) => Result,
  ) => commandVerb(gcloud, { args, read, explain: explainMissingAccount });
  const account = verb(
    ({ account: email, project }: AccountName) => jsonCommand([...IAM, "describe", email], { project }),
    (stdout, options) => readAccount(parseGcloudJson(stdout), options),
  );
  return {
    account,
    createAccount: defineVerb({
      plan: (options: NewAccount) => [gcloudLine(createAccountArgs(options))],
      async run(options) {
        const stdout = await gcloud(createAccountArgs(options));
        return stdout.trim() === "" ? account(options) : readAccount(parseGcloudJson(stdout), options);
      },
    }),
    listAccounts: commandVerb(gcloud, {
      args: ({ project }: ProjectName) => jsonCommand([...IAM, "list"], { project }),
      read: (stdout) => readAccounts(parseGcloudJson(stdout)),
    }),
    deleteAccount: verb(
      ({ account: email, project }: AccountName) => jsonCommand([...IAM, "delete", email], { project }),
      () => {},
    ),
    createKey: verb(
      // gcloud prints the key to our pipe, and writes it to no file and no log. With a format it would print more than the key.
      ({ account: email, project }: AccountName) => [...keyWords("create", email, "-"), "--project", project, "--quiet"],
      (stdout) => stdout,
    ),
    listKeys: verb(
      ({ account: email, project }: AccountName) => jsonCommand(keyWords("list", email), { project }),
      (stdout) => readKeys(parseGcloudJson(stdout)),
    ),
    deleteKey: verb(
      ({ account: email, key, project }: KeyName) => jsonCommand(keyWords("delete", email, key), { project }),
      () => {},
    ),
  };
}

const IAM = ["iam", "service-accounts"];

function keyWords(verb: string, account: string, ...names: readonly string[]): string[] {
  return [...IAM, "keys", verb, ...names, "--iam-account", account];
}

export function createAccountArgs({ account, project, displayName }: NewAccount): string[] {
  const [name = ""] = account.split("@");
  return jsonCommand([...IAM, "create", name, ...flag("--display-name", displayName)], { project });
}
