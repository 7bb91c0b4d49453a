import type { Command } from "commander";
import { addCallOptions } from "./call-flags.ts";
import { milliseconds } from "../../context/parse-duration.ts";
import { wholeNumber } from "../../context/parse-number.ts";
import { run, withExamples, type Execute } from "../../context/define-command.ts";

/** A call to a service. */
export function addInvokeCommand(program: Command, execute: Execute): void {
  program.commandsGroup("Authenticated calls:");

  withExamples(
    addCallOptions(
      program
        .command("invoke")
        .summary("call a service with an ID token")
        .description(
          'Call a service with an ID token, and print {"status_code", "response"}.\nThe exit code is 0 for a status below 400. Several paths share a connection and\na token; each gets a document, and under --json all of them are one list.',
        )
        .argument("[targets...]", "paths of the service, or whole URLs (default: /)"),
    )
      .optionsGroup("What is printed:")
      .option("-i, --include", "print headers, duration, audience and principal too")
      .option("-o, --output <file>", "write the body into a file")
      .option("--raw", "print the body as it comes, and nothing else")
      .option("-N, --no-buffer", "the same as --raw, under curl's name")
      .optionsGroup("How it is called:")
      .option("-L, --location", "follow redirects; the token goes to the same origin only")
      .option("--max-time <duration>", "give up on a call after this time, retries included", milliseconds)
      .option(
        "--retries <number>",
        "try again so often where no connection holds, or the answer is 429 or 503; POST and PATCH are not",
        wholeNumber,
        3,
      )
      .option("--retry-all", "try POST and PATCH again too, which may do twice what they do")
      .option("--wait-for <status>", "call until this is answered, 200 or 2xx, for ten minutes at most")
      .option("--repeat <number>", "call so many times", wholeNumber)
      .option("--watch [interval]", "call again and again, with this time in between (default: 2s)", milliseconds)
      .action(run(execute, async () => (await import("./invoke.ts")).invoke)),
    [
      ["cloudrun-oauth invoke --credentials caller.json"],
      ["cloudrun-oauth invoke https://hello-abc123-uc.a.run.app/whoami -i"],
      ["cloudrun-oauth invoke /orders --json-data '{\"item\": 1}' -H 'Idempotency-Key: 7' --retry-all"],
      ["cloudrun-oauth invoke /photos -F title=Harbour -F 'photo=@harbour.jpg;type=image/jpeg'"],
      ["cloudrun-oauth invoke --iap", "through Identity-Aware Proxy"],
      ["cloudrun-oauth invoke /events --raw"],
      ["cloudrun-oauth invoke /status /orders --json"],
      ["cloudrun-oauth invoke --wait-for 200 --timeout 5m"],
      ["cloudrun-oauth invoke /status --watch 10s"],
    ],
  );
}
