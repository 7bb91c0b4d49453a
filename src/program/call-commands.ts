import { type Command, Option } from "commander";
import { milliseconds } from "./duration.ts";
import { wholeNumber } from "./number.ts";
import { collect, run, withExamples, type Execute } from "./run.ts";

/** Calls to a service, and the tokens that they need. */
export function addCallCommands(program: Command, execute: Execute): void {
  program.commandsGroup("Authenticated calls:");

  withExamples(
    program
      .command("invoke")
      .summary("call a service with an ID token")
      .description(
        'Call a service with an ID token, and print {"status_code", "response"}.\nThe exit code is 0 for a status below 400. Several paths share a connection and\na token; each gets a document, and under --json all of them are one list.',
      )
      .argument("[targets...]", "paths of the service, or whole URLs (default: /)")
      .option("--url <url>", "the service's URL (default: what describe finds)")
      .option("--credentials <file>", "a service account's key file")
      .option("--audience <audience>", "whom the token is for (default: the service's URL)")
      .addOption(
        new Option("--auth-header <header>", "what carries the token (default: the one that -H leaves free)").choices([
          "authorization",
          "x-serverless-authorization",
        ]),
      )
      .optionsGroup("What is sent:")
      .option("-X, --request <method>", "the HTTP method (default: GET, or POST with a body)")
      .option("-H, --header <header>", "a header, 'Name: value'; may be repeated", collect)
      .option("-d, --data <data>", "the body: text, @FILE, or @- for stdin")
      .option("--json-data <data>", "the same, as application/json, and checked to be JSON")
      .option("--data-urlencode <name=value>", "a field of a form; may be repeated", collect)
      .option("-F, --form <name=value>", "a field of a multipart form, or name=@FILE[;type=TYPE]; may be repeated", collect)
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
      .action(run(execute, async () => (await import("../commands/invoke.ts")).invoke)),
    [
      ["cloudrun-oauth invoke --credentials caller.json"],
      ["cloudrun-oauth invoke https://hello-abc123-uc.a.run.app/whoami -i"],
      ["cloudrun-oauth invoke /orders --json-data '{\"item\": 1}' -H 'Idempotency-Key: 7' --retry-all"],
      ["cloudrun-oauth invoke /photos -F title=Harbour -F 'photo=@harbour.jpg;type=image/jpeg'"],
      ["cloudrun-oauth invoke /events --raw"],
      ["cloudrun-oauth invoke /healthz /orders --json"],
      ["cloudrun-oauth invoke --wait-for 200 --timeout 5m"],
      ["cloudrun-oauth invoke /healthz --watch 10s"],
    ],
  );

  withExamples(
    program
      .command("token")
      .summary("print an ID token")
      .description("Print an ID token for an audience.")
      .argument("[audience]", "whom the token is for (default: the service's URL)")
      .option("--credentials <file>", "a service account's key file")
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
