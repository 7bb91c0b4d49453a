import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { MEMBER_FLAGS } from "./grant-command.ts";

export const revokeCommand = defineCommand({
  name: "revoke",
  summary: "Revoke a principal's permission",
  description:
    "Removes a role from a member of the service. Warns if the member can still invoke the service through another role or the project.",
  arguments: [argument("[service]", "Service name")],
  flags: MEMBER_FLAGS,
  examples: [["cloudrun-oauth revoke hello --member caller@my-project.iam.gserviceaccount.com"]],
  load: async () => (await import("./revoke.ts")).revoke,
});
