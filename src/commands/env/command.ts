import { argument } from "../../context/argument.ts";
import { defineCommand, defineNoun } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const envCommand = defineNoun({
  name: "env",
  group: "In daily operation:",
  summary: "a service's environment variables",
  description: "A service's environment variables. A change makes a revision with the same image.",
  commands: [
    defineCommand({
      name: "list",
      summary: "show the variables",
      description: "Show a service's environment variables. What comes from a secret is shown as its name and version, and never resolved.",
      arguments: [argument("[service]", "the service")],
      examples: [["cloudrun-oauth env list hello"]],
      load: async () => (await import("./env.ts")).envList,
    }),
    defineCommand({
      name: "set",
      summary: "set variables",
      description:
        "Set environment variables, and leave the others as they are. Where all of them have these values already, no revision is made.\n" +
        "Others on this machine see a command line in the list of processes; what is in a file, they do not.",
      arguments: [argument("[words...]", "the service, and NAME=VALUE …")],
      flags: [
        flag("--from-file <file>", "set what is in this .env file too"),
        // Node reads a flag of this name itself, wherever it is: it exits if the file is not found, and applies the NODE_OPTIONS in it.
        flag("--env-file <file>", "", { isHidden: true }),
      ],
      examples: [["cloudrun-oauth env set hello GREETING=hello MOOD=good"], ["cloudrun-oauth env set hello --from-file .env.production"]],
      load: async () => (await import("./env.ts")).envSet,
    }),
    defineCommand({
      name: "unset",
      summary: "remove variables",
      description:
        "Remove environment variables, those that come from a secret too.\nThe first of several words is the service where it has small letters only; --service says it in any case.",
      arguments: [argument("<words...>", "the service, and NAME …")],
      examples: [["cloudrun-oauth env unset hello GREETING"], ["cloudrun-oauth env unset --service hello greeting mood"]],
      load: async () => (await import("./env.ts")).envUnset,
    }),
  ],
});
