import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const rollbackCommand = defineCommand({
  name: "rollback",
  group: "In daily operation:",
  summary: "send all traffic to the last good revision",
  description:
    "Send all traffic to the newest revision that is ready and was made before the one that serves; say which, and why.\n" +
    "A deployment that failed has replaced nothing: then nothing is changed. The exit code is 4 where there is no good revision.",
  arguments: [argument("[service]", "the service")],
  flags: [flag("--to <revision>", "to this revision")],
  examples: [["cloudrun-oauth rollback hello"], ["cloudrun-oauth rollback hello --to hello-00001-xyz"]],
  load: async () => (await import("./rollback.ts")).rollback,
});
