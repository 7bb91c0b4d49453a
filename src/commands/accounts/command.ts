import { argument } from "../../context/argument.ts";
import { defineCommand, defineNoun } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const accountsCommand = defineNoun({
  name: "accounts",
  group: "Who calls:",
  summary: "service accounts",
  description: "Service accounts of a project.",
  commands: [
    defineCommand({
      name: "create",
      summary: "make one",
      description: "Make a service account. One that is there already stays as it is, and is shown.",
      arguments: [argument("<account>", "its name, which its address begins with: 6 to 30 letters, digits and dashes")],
      flags: [flag("--display-name <text>", "what it is called where people see it")],
      examples: [['cloudrun-oauth accounts create my-caller --display-name "Calls hello"']],
      load: async () => (await import("./accounts.ts")).accountsCreate,
    }),
    defineCommand({
      name: "list",
      summary: "show them",
      description: "Show the service accounts of the project.",
      examples: [["cloudrun-oauth accounts list"]],
      load: async () => (await import("./accounts.ts")).accountsList,
    }),
    defineCommand({
      name: "delete",
      summary: "delete one, with its keys",
      description: "Delete a service account with its keys. Asks first; without a terminal it needs --yes.",
      arguments: [argument("<account>", "its address or its name")],
      examples: [
        ["cloudrun-oauth accounts delete my-caller"],
        ["cloudrun-oauth accounts delete my-caller@my-project.iam.gserviceaccount.com --yes"],
      ],
      load: async () => (await import("./accounts.ts")).accountsDelete,
    }),
  ],
});
