import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const membersCommand = defineCommand({
  name: "members",
  group: "From an empty folder to a private service:",
  summary: "show who may call a service",
  description:
    "Show who may call a service: by a role on the service itself or on its project, and under which condition.\nWhat a folder or the organisation grants on top is not looked at.",
  arguments: [argument("[service]", "the service")],
  flags: [flag("--all", "every role, those too that do not let call")],
  examples: [["cloudrun-oauth members hello"], ["cloudrun-oauth members hello --all --json"]],
  load: async () => (await import("./members.ts")).members,
});
