import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { durationFlag, flag } from "../../context/flag.ts";

export const doctorCommand = defineCommand({
  name: "doctor",
  group: "When something is wrong:",
  summary: "check everything that usually is wrong, and say what mends it",
  description:
    "Check everything that usually is wrong: this machine, network, gcloud, credentials, project, permissions, images, the organisation's\n" +
    "policies, and the service that is set. Each check is ok, to look at, failed or skipped, with the command that mends it.\n" +
    "The exit code is 0 where nothing failed, else that of the first check that did.",
  arguments: [argument("[checks...]", "the checks to make, by their names (default: all)")],
  flags: [
    flag("--fix", "do what can be done without harm, after asking: enable APIs, make the repository, chmod a key file"),
    durationFlag("--max-time <duration>", "give up on a check after this time (default: 10s)"),
  ],
  examples: [
    ["cloudrun-oauth doctor"],
    ["cloudrun-oauth doctor apis repository --fix --yes"],
    ["cloudrun-oauth doctor credentials token caller -v", "why a call is refused"],
    ["cloudrun-oauth doctor --json", "for machines: docs/doctor.md"],
  ],
  load: async () => (await import("./doctor.ts")).doctor,
});
