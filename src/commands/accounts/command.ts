import { argument } from "../../context/argument.ts";
import { defineCommand, defineNoun } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const accountsCommand = defineNoun({
  name: "accounts",
  summary: "Manage service accounts",
  description: "Manages a project's service accounts.",
  commands: [
    defineCommand({
      name: "create",
      summary: "Create a service account",
      description: "Creates a service account, or shows it if it already exists.",
      arguments: [argument("<account>", "Account ID: 6–30 lowercase letters, digits, and hyphens")],
      flags: [flag("--display-name <text>", "Display name")],
      examples: [['cloudrun-oauth accounts create my-caller --display-name "Calls hello"']],
      load: async () => (await import("./accounts.ts")).accountsCreate,
    }),
    defineCommand({
      name: "list",
      summary: "List service accounts",
      description: "Lists a project's service accounts.",
      examples: [["cloudrun-oauth accounts list"]],
      load: async () => (await import("./accounts.ts")).accountsList,
    }),
    defineCommand({
      name: "delete",
      summary: "Delete a service account and its keys",
      description: "Deletes a service account and its keys. Asks for the account's ID; use --yes in scripts.",
      arguments: [argument("<account>", "Account ID or email address")],
      examples: [
        ["cloudrun-oauth accounts delete my-caller"],
        ["cloudrun-oauth accounts delete my-caller@my-project.iam.gserviceaccount.com --yes"],
      ],
      load: async () => (await import("./accounts.ts")).accountsDelete,
    }),
  ],
});
