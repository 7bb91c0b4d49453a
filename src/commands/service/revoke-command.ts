import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { MEMBER_FLAGS } from "./grant-command.ts";

export const revokeCommand = defineCommand({
  name: "revoke",
  group: "From an empty folder to a private service:",
  summary: "take a grant back",
  description: "Take a member's role on a service back. Says so where the project gives it, or another role that lets call.",
  arguments: [argument("[service]", "the service")],
  flags: MEMBER_FLAGS,
  examples: [["cloudrun-oauth revoke hello --member caller@my-project.iam.gserviceaccount.com"]],
  load: async () => (await import("./revoke.ts")).revoke,
});
