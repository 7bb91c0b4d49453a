import { argument } from "../../context/argument.ts";
import { defineCommand, defineNoun } from "../../context/define-command.ts";

export const configCommand = defineNoun({
  name: "config",
  group: "Settings:",
  summary: "settings that stay, and where each came from",
  description:
    "Settings in profiles. A flag goes before the environment, that before cloudrun-oauth.json, that before the profile, that before gcloud's own.",
  commands: [
    defineCommand({
      name: "get",
      summary: "print a setting",
      description: "Print the value of a setting, wherever it came from.",
      arguments: [argument("<name>", "the setting")],
      examples: [["cloudrun-oauth config get project"]],
      load: async () => (await import("./config.ts")).configGet,
    }),
    defineCommand({
      name: "set",
      summary: "keep a setting in the profile",
      description: "Keep a setting in the profile in use.",
      arguments: [argument("<name>", "the setting"), argument("<value>", "its value")],
      examples: [["cloudrun-oauth config set region europe-west1"]],
      load: async () => (await import("./config.ts")).configSet,
    }),
    defineCommand({
      name: "unset",
      summary: "remove a setting from the profile",
      description: "Remove a setting from the profile in use.",
      arguments: [argument("<name>", "the setting")],
      examples: [["cloudrun-oauth config unset region"]],
      load: async () => (await import("./config.ts")).configUnset,
    }),
    defineCommand({
      name: "list",
      summary: "show all settings, and where each came from",
      description: "Show all settings that have a value, and where each came from.",
      examples: [["cloudrun-oauth config list"]],
      load: async () => (await import("./config.ts")).configList,
    }),
    defineCommand({
      name: "profiles",
      summary: "show the profiles, and what each holds",
      description: "Show the profiles and what each holds; * marks the one in use.",
      examples: [["cloudrun-oauth config profiles"]],
      load: async () => (await import("./config.ts")).configProfiles,
    }),
    defineCommand({
      name: "use",
      summary: "change to another profile",
      description: "Change to another profile, which is made where it is missing.",
      arguments: [argument("<profile>", "the profile")],
      examples: [["cloudrun-oauth config use work"]],
      load: async () => (await import("./config.ts")).configUse,
    }),
    defineCommand({
      name: "delete",
      summary: "delete a profile",
      description: "Delete a profile with its settings. Where it is the one in use, default is from then on.",
      arguments: [argument("<profile>", "the profile")],
      examples: [["cloudrun-oauth config delete work"]],
      load: async () => (await import("./config.ts")).configDelete,
    }),
    defineCommand({
      name: "schema",
      summary: "print the JSON schema of cloudrun-oauth.json",
      description: "Print the JSON schema of cloudrun-oauth.json, for editors without a network.",
      examples: [["cloudrun-oauth config schema > cloudrun-oauth.schema.json"]],
      load: async () => (await import("./config.ts")).configSchema,
    }),
  ],
});
