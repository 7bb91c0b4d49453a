import type { Command } from "commander";
import { milliseconds } from "../../context/parse-duration.ts";
import { run, withExamples, type Execute } from "../../context/define-command.ts";

/** What is wrong, and what mends it. */
export function addDoctorCommand(program: Command, execute: Execute): void {
  program.commandsGroup("When something is wrong:");

  withExamples(
    program
      .command("doctor")
      .summary("check everything that usually is wrong, and say what mends it")
      .description(
        "Check everything that usually is wrong: this machine, network, gcloud, credentials, project, permissions, images, the organisation's\n" +
          "policies, and the service that is set. Each check is ok, to look at, failed or skipped, with the command that mends it.\n" +
          "The exit code is 0 where nothing failed, else that of the first check that did.",
      )
      .argument("[checks...]", "the checks to make, by their names (default: all)")
      .option("--fix", "do what can be done without harm, after asking: enable APIs, make the repository, chmod a key file")
      .option("--max-time <duration>", "give up on a check after this time (default: 10s)", milliseconds)
      .action(run(execute, async () => (await import("./doctor.ts")).doctor)),
    [
      ["cloudrun-oauth doctor"],
      ["cloudrun-oauth doctor apis repository --fix --yes"],
      ["cloudrun-oauth doctor credentials token caller -v", "why a call is refused"],
      ["cloudrun-oauth doctor --json", "for machines: docs/doctor.md"],
    ],
  );
}
