import type { Command } from "commander";
import { milliseconds } from "../../context/parse-duration.ts";
import { run, withExamples, type Execute } from "../../context/define-command.ts";

const dataDir = ["--data-dir <folder>", "where the emulator keeps its state"] as const;

/** What is to go wrong on the emulator. */
export function addFaultCommands(emulator: Command, execute: Execute): void {
  const fault = emulator
    .command("fault")
    .summary("let its answers fail on demand")
    .description("Let answers of the emulator fail on demand: of Google's APIs and of services alike. A reset or a stop ends all faults.")
    .helpCommand("help [command]", "print a command's help");

  withExamples(
    fault
      .command("add")
      .summary("let requests fail from here on")
      .description(
        "Let requests that match fail from here on. A pattern is HOST/PATH, either of which may be left out; * stands for what is\nbetween two slashes, ** for anything. Of several faults that match the first is met.",
      )
      .requiredOption("--match <pattern>", "the requests: oauth2.googleapis.com/token, *.run.app, /v1/projects/**")
      .option("--method <method>", "only requests with this method")
      .option("--status <code>", "answer this, from 400 to 599, with the body that Google's host has for it")
      .option("--reason <reason>", "with --status 403: VPC_SERVICE_CONTROLS, as if the project lay in a perimeter")
      .option("--retry-after <seconds>", "with --status: the header Retry-After")
      .option("--latency <duration>", "wait this long first: 2s, 500ms", milliseconds)
      .option("--reset", "reset the connection")
      .option("--truncate <bytes>", "end the connection after so many bytes of the body")
      .option("--times <number>", "so many times only")
      .option(...dataDir)
      .action(run(execute, async () => (await import("./fault.ts")).faultAdd)),
    [
      ["cloudrun-oauth emulator fault add --match oauth2.googleapis.com/token --status 503 --times 2"],
      ["cloudrun-oauth emulator fault add --match '*run.googleapis.com' --method PUT --status 429 --retry-after 5"],
      ["cloudrun-oauth emulator fault add --match '*.run.app' --latency 2s"],
    ],
  );
  withExamples(
    fault
      .command("list")
      .summary("show what is to fail")
      .description("Show what is to fail, how often yet, and how often it has.")
      .option(...dataDir)
      .action(run(execute, async () => (await import("./fault.ts")).faultList)),
    [["cloudrun-oauth emulator fault list --json"]],
  );
  withExamples(
    fault
      .command("remove")
      .summary("end a fault")
      .description("End the fault with this number.")
      .argument("<number>", "as fault list shows it")
      .option(...dataDir)
      .action(run(execute, async () => (await import("./fault.ts")).faultRemove)),
    [["cloudrun-oauth emulator fault remove 1"]],
  );
  withExamples(
    fault
      .command("clear")
      .summary("end all faults")
      .description("End all faults.")
      .option(...dataDir)
      .action(run(execute, async () => (await import("./fault.ts")).faultClear)),
    [["cloudrun-oauth emulator fault clear"]],
  );
}
