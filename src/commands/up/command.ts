import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag, settingFlag } from "../../context/flag.ts";

export const upCommand = defineCommand({
  name: "up",
  group: "All of it at once:",
  summary: "take a folder to an authenticated call",
  description:
    "Build the folder, deploy it as a private service, and let the caller in.\nThen prove it: a call without a credential is refused, an authorised one let in.\nWhat is done is not done again, and what was interrupted goes on.",
  arguments: [argument("[dir]", "the folder with the Dockerfile (default: this one)")],
  flags: [
    flag("--check <path>", "deploy without traffic first, and promote only if this path answers below 400"),
    flag("--plan", "look, and show what would change, step by step"),
    settingFlag("--image <reference>", "Image to push, without a tag (default: SERVICE in the repository cloudrun-oauth)"),
    settingFlag("--member <member>", "who is let in (default: whoever calls)"),
    settingFlag("--credentials <file>", "the credentials of the caller"),
  ],
  examples: [
    ["cloudrun-oauth up"],
    ["cloudrun-oauth up hello --plan", "what would change"],
    ["cloudrun-oauth up --check /whoami", "the old revision serves on if the new one fails"],
  ],
  load: async () => (await import("./up.ts")).up,
});

export const downCommand = defineCommand({
  name: "down",
  group: "All of it at once:",
  summary: "remove what up has made",
  description:
    "Show what up has made, ask, and remove it: the service, its images, and the repository where nothing else is in it.\nWhat was there before up stays: of such a service only the grants that up has made are taken back.",
  arguments: [argument("[service]", "the service")],
  flags: [flag("--plan", "show what would be removed")],
  examples: [["cloudrun-oauth down hello --plan"], ["cloudrun-oauth down hello --yes"]],
  load: async () => (await import("./down.ts")).down,
});
