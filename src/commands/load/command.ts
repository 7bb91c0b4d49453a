import type { Command } from "commander";
import { addCallOptions } from "../invoke/call-flags.ts";
import { milliseconds } from "../../context/parse-duration.ts";
import { percentage, positiveNumber, wholeNumber } from "../../context/parse-number.ts";
import { run, withExamples, type Execute } from "../../context/define-command.ts";

/** Many calls, and how long they took. */
export function addLoadCommands(program: Command, execute: Execute): void {
  program.commandsGroup("Authenticated calls:");

  withExamples(
    addCallOptions(
      program
        .command("load")
        .summary("call a service many times, and measure it")
        .description(
          "Call a service many times with an ID token, which is renewed in time, and print\nhow long the answers took. A first call has to be answered below 400, and is not\ncounted. Calls of Cloud Run itself cost money: they wait for a yes, or --yes.\nThe exit code is 0 where every answer was below 400, or as few were not as\n--max-errors allows; else 8.",
        )
        .argument("[service]", "the service, a path of it, or a whole URL (default: what --url says, or the settings)")
        .argument("[path]", "the path (default: /)"),
    )
      .optionsGroup("How much:")
      .option("-n, --requests <number>", "end after so many requests", wholeNumber)
      .option("--duration <duration>", "end after this time (default: 10s, where --requests is not said)", milliseconds)
      .option("-c, --concurrency <number>", "call over so many connections, a request at a time on each", wholeNumber, 10)
      .option(
        "--rate <number>",
        "send so many requests a second, however long answers take; latency counts from when each was due",
        positiveNumber,
      )
      .option("--max-rate <number>", "refuse a --rate above this", positiveNumber, 1000)
      .option("--max-time <duration>", "give up on a request after this time (default: 60s)", milliseconds)
      .option("--no-check", "leave the first call out")
      .optionsGroup("What comes of it:")
      .option("--max-errors <percent>", "allow so many requests without an answer or with a status from 400 on (default: 0%)", percentage)
      .option("--max-p99 <duration>", "fail where more than one answer of a hundred took longer", milliseconds)
      .option("--cold-starts", "ask the service's log afterwards which of the slowest answers waited for a new instance")
      .option("--instance-header <name>", "a header by which the service names its instance: the first answer of each is told apart")
      .option("--plot <file>", "draw the latencies into this SVG file")
      .action(run(execute, async () => (await import("./load.ts")).load)),
    [
      ["cloudrun-oauth load hello", "ten seconds, ten connections"],
      ["cloudrun-oauth load hello /orders -n 1000 -c 50 --plot orders.svg"],
      ["cloudrun-oauth load hello --rate 200 --duration 5m --yes", "200 requests a second"],
      ["cloudrun-oauth load --url https://hello-abc123-uc.a.run.app --max-p99 500ms --max-errors 1% --json"],
      ["cloudrun-oauth load /orders --json-data '{\"item\": 1}' -n 100"],
    ],
  );
}
