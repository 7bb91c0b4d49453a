import type { Command } from "commander";
import { collect, run, withExamples, type Execute } from "./run.ts";

/** Calls to a service, and the tokens that they need. */
export function addCallCommands(program: Command, execute: Execute): void {
  program.commandsGroup("Authenticated calls:");

  withExamples(
    program
      .command("invoke")
      .summary("call a service with an ID token")
      .description('Call a service with an ID token, and print {"status_code", "response"}.\nThe exit code is 0 for a status below 400.')
      .argument("[target]", "a path of the service, or a whole URL (default: /)")
      .option("--url <url>", "the service's URL (default: what describe finds)")
      .option("--credentials <file>", "a service account's key file, or another credential file")
      .option("--impersonate-service-account <accounts>", "act as this service account; delegates go before it, with commas")
      .option("--audience <audience>", "whom the token is for (default: the service's URL)")
      .option("-X, --request <method>", "the HTTP method (default: GET, or POST with data)")
      .option("-d, --data <data>", "the body: text, @FILE, or @- for stdin")
      .option("-H, --header <header>", "a header, 'Name: value'; may be repeated", collect)
      .option("-i, --include", "print headers, duration, audience and principal too")
      .option("-o, --output <file>", "write the body into a file")
      .option("--raw", "print the body as it came, and nothing else")
      .action(run(execute, async () => (await import("../commands/invoke.ts")).invoke)),
    [
      ["cloudrun-oauth invoke --credentials caller.json"],
      ["cloudrun-oauth invoke /orders -d '{\"item\": 1}' -H 'Content-Type: application/json'"],
      ["cloudrun-oauth invoke https://hello-abc123-uc.a.run.app/whoami -i"],
    ],
  );

  withExamples(
    program
      .command("token")
      .summary("print an ID token")
      .description("Print an ID token for an audience.")
      .argument("[audience]", "whom the token is for (default: the service's URL)")
      .option("--credentials <file>", "a service account's key file, or another credential file")
      .option("--impersonate-service-account <accounts>", "act as this service account; delegates go before it, with commas")
      .action(run(execute, async () => (await import("../commands/token.ts")).token)),
    [['curl -H "Authorization: Bearer $(cloudrun-oauth token)" $CLOUD_RUN_SERVICE_URL']],
  );

  withExamples(
    program
      .command("inspect")
      .summary("say why a member may, or may not, call a service")
      .description("Say why a member may, or may not, call a service: the binding that lets it in, or what keeps it out.")
      .argument("[service]", "the service")
      .requiredOption("--why", "ask Google's policy troubleshooter")
      .option("--member <member>", "who: an e-mail address, or user:…, serviceAccount:…, principal:…")
      .action(run(execute, async () => (await import("../commands/inspect.ts")).inspect)),
    [["cloudrun-oauth inspect hello --why --member caller@my-project.iam.gserviceaccount.com"]],
  );
}
