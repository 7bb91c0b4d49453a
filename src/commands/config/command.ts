import { argument } from "../../context/argument.ts";
import { defineCommand, defineNoun } from "../../context/define-command.ts";

export const configCommand = defineNoun({
  name: "config",
  summary: "Manage settings and profiles",
  description:
    "Manages settings and profiles. Order of precedence: flags, environment variables, cloudrun-oauth.json, profile, gcloud configuration.",
  commands: [
    defineCommand({
      name: "get",
      summary: "Print the value of a setting",
      description: "Prints the value of a setting from the source that takes precedence.",
      arguments: [argument("<name>", "Setting name")],
      examples: [["cloudrun-oauth config get project"]],
      load: async () => (await import("./config.ts")).configGet,
    }),
    defineCommand({
      name: "set",
      summary: "Set a value in the active profile",
      description: "Sets a value in the active profile.",
      arguments: [argument("<name>", "Setting name"), argument("<value>", "New value")],
      examples: [["cloudrun-oauth config set region europe-west1"]],
      load: async () => (await import("./config.ts")).configSet,
    }),
    defineCommand({
      name: "unset",
      summary: "Remove a setting from the active profile",
      description: "Removes a setting from the active profile.",
      arguments: [argument("<name>", "Setting name")],
      examples: [["cloudrun-oauth config unset region"]],
      load: async () => (await import("./config.ts")).configUnset,
    }),
    defineCommand({
      name: "list",
      summary: "List settings and their sources",
      description: "Lists all settings that have a value, with the source of each value.",
      examples: [["cloudrun-oauth config list"]],
      load: async () => (await import("./config.ts")).configList,
    }),
    defineCommand({
      name: "profiles",
      summary: "List profiles and their settings",
      description: "Lists profiles and their settings. An asterisk marks the active profile.",
      examples: [["cloudrun-oauth config profiles"]],
      load: async () => (await import("./config.ts")).configProfiles,
    }),
    defineCommand({
      name: "use",
      summary: "Switch to another profile",
      description: "Switches to another profile. Creates the profile if it doesn't exist.",
      arguments: [argument("<profile>", "Profile name")],
      examples: [["cloudrun-oauth config use work"]],
      load: async () => (await import("./config.ts")).configUse,
    }),
    defineCommand({
      name: "delete",
      summary: "Delete a profile",
      description: "Deletes a profile. If it's active, switches to the default profile.",
      arguments: [argument("<profile>", "Profile name")],
      examples: [["cloudrun-oauth config delete work"]],
      load: async () => (await import("./config.ts")).configDelete,
    }),
    defineCommand({
      name: "schema",
      summary: "Print the JSON schema for cloudrun-oauth.json",
      description: "Prints the JSON schema for cloudrun-oauth.json, for editors without network access.",
      examples: [["cloudrun-oauth config schema > cloudrun-oauth.schema.json"]],
      load: async () => (await import("./config.ts")).configSchema,
    }),
  ],
});
