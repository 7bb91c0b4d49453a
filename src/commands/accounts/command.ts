import type { Command } from "commander";
import { run, withExamples, type Execute } from "../../context/define-command.ts";

const account = ["--account <email>", "the service account, by its address or its name (default: SERVICE_ACCOUNT_EMAIL)"] as const;

/** Service accounts and their keys. */
export function addAccountCommands(program: Command, execute: Execute): void {
  program.commandsGroup("Who calls:");
  addAccounts(program, execute);
  addKeys(program, execute);
}

function addAccounts(program: Command, execute: Execute): void {
  const accounts = program
    .command("accounts")
    .summary("service accounts")
    .description("Service accounts of a project.")
    .helpCommand("help [command]", "print a command's help");

  withExamples(
    accounts
      .command("create")
      .summary("make one")
      .description("Make a service account. One that is there already stays as it is, and is shown.")
      .argument("<account>", "its name, which its address begins with: 6 to 30 letters, digits and dashes")
      .option("--display-name <text>", "what it is called where people see it")
      .action(run(execute, async () => (await import("./accounts.ts")).accountsCreate)),
    [['cloudrun-oauth accounts create my-caller --display-name "Calls hello"']],
  );

  withExamples(
    accounts
      .command("list")
      .summary("show them")
      .description("Show the service accounts of the project.")
      .action(run(execute, async () => (await import("./accounts.ts")).accountsList)),
    [["cloudrun-oauth accounts list"]],
  );

  withExamples(
    accounts
      .command("delete")
      .summary("delete one, with its keys")
      .description("Delete a service account with its keys. Asks first; without a terminal it needs --yes.")
      .argument("<account>", "its address or its name")
      .action(run(execute, async () => (await import("./accounts.ts")).accountsDelete)),
    [["cloudrun-oauth accounts delete my-caller"], ["cloudrun-oauth accounts delete my-caller@my-project.iam.gserviceaccount.com --yes"]],
  );
}

function addKeys(program: Command, execute: Execute): void {
  const keys = program
    .command("keys")
    .summary("key files of service accounts")
    .description("Keys of a service account, and their files.")
    .helpCommand("help [command]", "print a command's help");

  withExamples(
    keys
      .command("create")
      .summary("make a key and write its file")
      .description(
        "Make a key, and write its file for your eyes only (0600). A file that is there stays, unless --force is said.\nIt warns of a file in a git work tree.",
      )
      .argument("[file]", "the file (default: NAME.json of the account)")
      .option(...account)
      .option("--force", "replace a file that is there")
      .action(run(execute, async () => (await import("../keys/keys.ts")).keysCreate)),
    [["cloudrun-oauth keys create ../caller.json --account my-caller", "then: export CREDS=../caller.json"]],
  );

  withExamples(
    keys
      .command("list")
      .summary("show its keys, and which file here holds which")
      .description(
        "Show the keys that people made of a service account: id, from when and until when, and which file holds it.\nThat is looked up in the files that are set, and in this folder.",
      )
      .option(...account)
      .option("--all", "those that Google manages, too")
      .action(run(execute, async () => (await import("../keys/keys.ts")).keysList)),
    [["cloudrun-oauth keys list --account my-caller"]],
  );

  withExamples(
    keys
      .command("rotate")
      .summary("put a new key into a file, then delete the old one")
      .description(
        "Make a new key, see that it works, put it into the file, and delete the old key, in this order.\nAsks first; without a terminal it needs --yes or --keep-old.",
      )
      .argument("[file]", "the key file (default: the credentials that are set)")
      .option("--account <email>", "refuse a file of another account")
      .option("--keep-old", "leave the old key, for what has a copy of it")
      .action(run(execute, async () => (await import("../keys/rotate.ts")).keysRotate)),
    [["cloudrun-oauth keys rotate caller.json"], ["cloudrun-oauth keys rotate caller.json --keep-old --json"]],
  );

  withExamples(
    keys
      .command("delete")
      .summary("delete a key")
      .description("Delete a key, by its id or by a file that holds it; the file stays. Asks first; without a terminal it needs --yes.")
      .argument("<key>", "the key's id, or a key file")
      .option(...account)
      .action(run(execute, async () => (await import("../keys/keys.ts")).keysDelete)),
    [
      ["cloudrun-oauth keys delete old.json"],
      ["cloudrun-oauth keys delete 0123456789abcdef0123456789abcdef01234567 --account my-caller --yes"],
    ],
  );
}
