import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const describeCommand = defineCommand({
  name: "describe",
  group: "From an empty folder to a private service:",
  summary: "show a service: URLs, revision, image, traffic, members",
  description:
    "Show a service: URLs, revision, when it was deployed and by whom, image, what an instance is and takes, the names of its variables, traffic, members, conditions, and its page in Google's console.",
  arguments: [argument("[service]", "the service")],
  flags: [flag("--url", "print its URL only")],
  examples: [["cloudrun-oauth describe hello"], ["export CLOUD_RUN_SERVICE_URL=$(cloudrun-oauth describe hello --url)"]],
  load: async () => (await import("./describe.ts")).describe,
});
