import { argument } from "../../context/argument.ts";
import { defineCommand, defineNoun } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

const ACCOUNT_FLAG = flag("--account <email>", "the service account, by its address or its name (default: SERVICE_ACCOUNT_EMAIL)");

export const keysCommand = defineNoun({
  name: "keys",
  group: "Who calls:",
  summary: "key files of service accounts",
  description: "Keys of a service account, and their files.",
  commands: [
    defineCommand({
      name: "create",
      summary: "make a key and write its file",
      description:
        "Make a key, and write its file for your eyes only (0600). A file that is there stays, unless --force is said.\nIt warns of a file in a git work tree.",
      arguments: [argument("[file]", "the file (default: NAME.json of the account)")],
      flags: [ACCOUNT_FLAG, flag("--force", "replace a file that is there")],
      examples: [["cloudrun-oauth keys create ../caller.json --account my-caller", "then: export CREDS=../caller.json"]],
      load: async () => (await import("./keys.ts")).keysCreate,
    }),
    defineCommand({
      name: "list",
      summary: "show its keys, and which file here holds which",
      description:
        "Show the keys that people made of a service account: id, from when and until when, and which file holds it.\nThat is looked up in the files that are set, and in this folder.",
      flags: [ACCOUNT_FLAG, flag("--all", "those that Google manages, too")],
      examples: [["cloudrun-oauth keys list --account my-caller"]],
      load: async () => (await import("./keys.ts")).keysList,
    }),
    defineCommand({
      name: "rotate",
      summary: "put a new key into a file, then delete the old one",
      description:
        "Make a new key, see that it works, put it into the file, and delete the old key, in this order.\nAsks first; without a terminal it needs --yes or --keep-old.",
      arguments: [argument("[file]", "the key file (default: the credentials that are set)")],
      flags: [
        flag("--account <email>", "refuse a file of another account"),
        flag("--keep-old", "leave the old key, for what has a copy of it"),
      ],
      examples: [["cloudrun-oauth keys rotate caller.json"], ["cloudrun-oauth keys rotate caller.json --keep-old --json"]],
      load: async () => (await import("./rotate.ts")).keysRotate,
    }),
    defineCommand({
      name: "delete",
      summary: "delete a key",
      description: "Delete a key, by its id or by a file that holds it; the file stays. Asks first; without a terminal it needs --yes.",
      arguments: [argument("<key>", "the key's id, or a key file")],
      flags: [ACCOUNT_FLAG],
      examples: [
        ["cloudrun-oauth keys delete old.json"],
        ["cloudrun-oauth keys delete 0123456789abcdef0123456789abcdef01234567 --account my-caller --yes"],
      ],
      load: async () => (await import("./keys.ts")).keysDelete,
    }),
  ],
});
