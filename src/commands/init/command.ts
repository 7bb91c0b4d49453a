import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { settingFlag } from "../../context/flag.ts";

export const initCommand = defineCommand({
  name: "init",
  group: "From an empty folder to a private service:",
  summary: "write a service that deploys as it is",
  description: "Write a service that deploys as it is, and its cloudrun-oauth.json.",
  arguments: [argument("[dir]", "an empty or new folder (default: this one)")],
  flags: [settingFlag("--template <name>", "hono, express, flask or fastapi (default: hono)")],
  examples: [["cloudrun-oauth init hello"], ["cloudrun-oauth init hello --template flask --service hello-flask"]],
  load: async () => (await import("./init.ts")).init,
});
