import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const describeCommand = defineCommand({
  name: "describe",
  summary: "Show details of a service",
  description: "Shows a service's URL, latest revision, resources, environment variable names, traffic, IAM members, and conditions.",
  arguments: [argument("[service]", "Service name")],
  flags: [flag("--url", "Print only the URL")],
  examples: [["cloudrun-oauth describe hello"], ["export CLOUD_RUN_SERVICE_URL=$(cloudrun-oauth describe hello --url)"]],
  load: async () => (await import("./describe.ts")).describe,
});
