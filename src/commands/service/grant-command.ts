import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag, settingFlag } from "../../context/flag.ts";
import { INVOKER_ROLE } from "../../cloud/permissions.ts";

/** Who is granted which role, or loses it. */
export const MEMBER_FLAGS = [
  settingFlag("--member <member>", "who: an e-mail address, group:…, domain:…, allUsers"),
  flag("--role <role>", "the role", { default: INVOKER_ROLE }),
] as const;

export const grantCommand = defineCommand({
  name: "grant",
  group: "From an empty folder to a private service:",
  summary: "let a member call a service",
  description: "Let a member call a service. A bare e-mail address gets its serviceAccount: or user: prefix.",
  arguments: [argument("[service]", "the service")],
  flags: [...MEMBER_FLAGS, flag("--wait", "come back when the grant has taken effect")],
  examples: [["cloudrun-oauth grant hello --member caller@my-project.iam.gserviceaccount.com --wait"]],
  load: async () => (await import("./grant.ts")).grant,
});
