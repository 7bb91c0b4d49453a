import { argument } from "../../context/argument.ts";
import { defineCommand, defineNoun } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const envCommand = defineNoun({
  name: "env",
  summary: "Manage a service's environment variables",
  description: "Manages a service's environment variables. A change creates a revision with the same image.",
  commands: [
    defineCommand({
      name: "list",
      summary: "List environment variables",
      description: "Lists a service's environment variables. Secrets are shown by name and version, without their values.",
      arguments: [argument("[service]", "Service name")],
      examples: [["cloudrun-oauth env list hello"]],
      load: async () => (await import("./env.ts")).envList,
    }),
    defineCommand({
      name: "set",
      summary: "Set environment variables",
      description:
        "Sets environment variables and keeps all others. Creates a revision only if a value changes.\n" +
        "Values on the command line are visible to other users of this computer. Use --from-file for sensitive values.",
      arguments: [argument("[args...]", "Service name, and NAME=VALUE pairs")],
      flags: [flag("--from-file <file>", "Set variables from a .env file")],
      examples: [["cloudrun-oauth env set hello GREETING=hello COLOR=blue"], ["cloudrun-oauth env set hello --from-file .env.production"]],
      load: async () => (await import("./env.ts")).envSet,
    }),
    defineCommand({
      name: "unset",
      summary: "Remove environment variables",
      description:
        "Removes environment variables, including those that come from secrets.\n" +
        "The first argument is the service if it's all lowercase. Use --service to be explicit.",
      arguments: [argument("<args...>", "Service name, and variable names")],
      examples: [["cloudrun-oauth env unset hello GREETING"], ["cloudrun-oauth env unset --service hello greeting color"]],
      load: async () => (await import("./env.ts")).envUnset,
    }),
  ],
});
