import { INVOKER_ROLE } from "../../cloud/permissions.ts";
import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag, settingFlag } from "../../context/flag.ts";

/** The member and the role that are granted or revoked. */
export const MEMBER_FLAGS = [
  settingFlag("--member <member>", "Email address, group:…, domain:…, or allUsers"),
  flag("--role <role>", "IAM role", { default: INVOKER_ROLE }),
] as const;

export const grantCommand = defineCommand({
  name: "grant",
  summary: "Grant a principal permission to invoke a service",
  description:
    "Grants a member a role on a service. Adds the serviceAccount: or user: prefix to a plain email address. Asks for confirmation if this makes the service public.",
  arguments: [argument("[service]", "Service name")],
  flags: [...MEMBER_FLAGS, flag("--wait", "Wait until the change takes effect (up to 10 minutes)")],
  examples: [["cloudrun-oauth grant hello --member caller@my-project.iam.gserviceaccount.com --wait"]],
  load: async () => (await import("./grant.ts")).grant,
});
