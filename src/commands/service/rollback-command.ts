import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const rollbackCommand = defineCommand({
  name: "rollback",
  summary: "Roll back to the previous ready revision",
  description:
    "Sends all traffic to the newest ready revision that is older than the one that is serving.\n" +
    "If the latest deployment failed, the previous revision is still serving and nothing changes.\n" +
    "Exits with 4 if there's no revision to roll back to.",
  arguments: [argument("[service]", "Service name")],
  flags: [flag("--to <revision>", "Revision to roll back to")],
  examples: [["cloudrun-oauth rollback hello"], ["cloudrun-oauth rollback hello --to hello-00001-xyz"]],
  load: async () => (await import("./rollback.ts")).rollback,
});
