import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { durationFlag, flag } from "../../context/flag.ts";

export const doctorCommand = defineCommand({
  name: "doctor",
  summary: "Diagnose common configuration problems",
  description:
    "Runs diagnostic checks on your environment, credentials, project, permissions, and service, and suggests fixes. Each check passes, warns, fails, or is skipped. The exit code is 0 if no check failed; otherwise, it's that of the first failed check.",
  arguments: [argument("[checks...]", "Names of the checks to run (default: all)")],
  flags: [
    flag("--fix", "Apply safe fixes after confirmation"),
    durationFlag("--max-time <duration>", "Maximum time for each check (default: 10s)"),
  ],
  examples: [
    ["cloudrun-oauth doctor"],
    ["cloudrun-oauth doctor apis repository --fix --yes"],
    ["cloudrun-oauth doctor credentials token caller -v", "find out why a request is rejected"],
    ["cloudrun-oauth doctor --json", "print machine-readable results"],
  ],
  load: async () => (await import("./doctor.ts")).doctor,
});
