import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const membersCommand = defineCommand({
  name: "members",
  summary: "List principals that can invoke a service",
  description:
    "Lists principals that can invoke a service through a role on the service or its project.\nDoesn't include roles inherited from folders or the organization.",
  arguments: [argument("[service]", "Service name")],
  flags: [flag("--all", "Include roles that don't grant invoke permission")],
  examples: [["cloudrun-oauth members hello"], ["cloudrun-oauth members hello --all --json"]],
  load: async () => (await import("./members.ts")).members,
});
