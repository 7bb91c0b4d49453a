import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { settingFlag } from "../../context/flag.ts";

export const initCommand = defineCommand({
  name: "init",
  summary: "Create a service from a template",
  description: "Creates a ready-to-deploy service and a cloudrun-oauth.json file.",
  arguments: [argument("[dir]", "Empty or new directory (default: current directory)")],
  flags: [settingFlag("--template <name>", "Template: hono, express, flask, or fastapi (default: hono)")],
  examples: [["cloudrun-oauth init hello"], ["cloudrun-oauth init hello --template flask --service hello-flask"]],
  load: async () => (await import("./init.ts")).init,
});
