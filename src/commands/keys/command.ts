import { argument } from "../../context/argument.ts";
import { defineCommand, defineNoun } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

const ACCOUNT_FLAG = flag("--account <email>", "Service account (default: SERVICE_ACCOUNT_EMAIL)");

export const keysCommand = defineNoun({
  name: "keys",
  summary: "Manage service account keys",
  description: "Manages a service account's keys and their files.",
  commands: [
    defineCommand({
      name: "create",
      summary: "Create a key and write its file",
      description:
        "Creates a key and writes it to a file that only you can read (0600). Doesn't overwrite existing " +
        "files without --force. Warns if the file is inside a Git repository.",
      arguments: [argument("[file]", "Key file (default: ACCOUNT_ID.json)")],
      flags: [ACCOUNT_FLAG, flag("--force", "Overwrite an existing file")],
      examples: [["cloudrun-oauth keys create ../caller.json --account my-caller"]],
      load: async () => (await import("./keys.ts")).keysCreate,
    }),
    defineCommand({
      name: "list",
      summary: "List keys and their local files",
      description:
        "Lists user-managed keys with creation and expiry dates. Also shows the local file that contains each key, if it's in a " +
        "configured path or the current directory.",
      flags: [ACCOUNT_FLAG, flag("--all", "Include Google-managed keys")],
      examples: [["cloudrun-oauth keys list --account my-caller"]],
      load: async () => (await import("./keys.ts")).keysList,
    }),
    defineCommand({
      name: "rotate",
      summary: "Replace a key file with a new key",
      description:
        "Creates a new key, verifies it, replaces the file's contents, and then deletes the old key.\n" +
        "Asks for confirmation; use --yes or --keep-old in scripts.",
      arguments: [argument("[file]", "Key file (default: the configured credentials)")],
      flags: [flag("--account <email>", "Fail unless the key belongs to this account"), flag("--keep-old", "Don't delete the old key")],
      examples: [["cloudrun-oauth keys rotate caller.json"], ["cloudrun-oauth keys rotate caller.json --keep-old --json"]],
      load: async () => (await import("./rotate.ts")).keysRotate,
    }),
    defineCommand({
      name: "delete",
      summary: "Delete a key",
      description: "Deletes a key by its ID or by a file that contains it; the file is kept. Asks for confirmation; use --yes in scripts.",
      arguments: [argument("<key>", "Key ID or key file")],
      flags: [ACCOUNT_FLAG],
      examples: [
        ["cloudrun-oauth keys delete old.json"],
        ["cloudrun-oauth keys delete 0123456789abcdef0123456789abcdef01234567 --account my-caller --yes"],
      ],
      load: async () => (await import("./keys.ts")).keysDelete,
    }),
  ],
});
