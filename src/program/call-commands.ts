import type { Command } from "commander";
import { addCallOptions } from "./call-options.ts";
import { lifetime, milliseconds } from "./duration.ts";
import { wholeNumber } from "./number.ts";
import { run, withExamples, type Execute } from "./run.ts";

/** Calls to a service, and the tokens that they need. */
export function addCallCommands(program: Command, execute: Execute): void {
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
      .action(run(execute, async () => (await import("../commands/invoke.ts")).invoke)),
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

  const token = withExamples(
    program
      .command("token")
      .summary("print an ID token")
      .description("Print an ID token for an audience. It is kept in the user's cache folder, and given out again until it is nearly over.")
      .argument("[audience]", "whom the token is for (default: the service's URL)")
      .option("--credentials <file>", "a service account's key file, or another credential file")
      .option("--impersonate-service-account <accounts>", "act as this service account; delegates go before it, with commas")
      .option("--iap [client-id]", "for Identity-Aware Proxy before the service: its OAuth client (default: it is asked)")
      .option("--header", "print it as a header, for curl -H @-")
      .option("--min-ttl <duration>", "print one that is good for at least this long (default: 5m)", lifetime)
      .option("--no-cache", "print a new one, and keep it nowhere")
      // An audience may be called "help"; a sub-command of that name would take its place.
      .helpCommand(false)
      .action(run(execute, async () => (await import("../commands/token.ts")).token)),
    [
      ['curl -H "Authorization: Bearer $(cloudrun-oauth token)" $CLOUD_RUN_SERVICE_URL'],
      ["cloudrun-oauth token --header | curl -H @- $CLOUD_RUN_SERVICE_URL", "not seen in the list of processes"],
      ["cloudrun-oauth token --min-ttl 30m", "for a run of half an hour"],
    ],
  );

  withExamples(
    token
      .command("revoke")
      .summary("remove the tokens that are kept on this machine")
      .description(
        "Remove the tokens that are kept on this machine.\nA copy elsewhere is good until it expires, an hour after it was made: Google takes no ID token back.",
      )
      // The options of token itself mean nothing here.
      .configureHelp({ showGlobalOptions: true, visibleGlobalOptions: () => [...program.options] })
      .action(run(execute, async () => (await import("../commands/token-revoke.ts")).revokeTokens)),
    [["cloudrun-oauth token revoke"]],
  );

  withExamples(
    program
      .command("inspect")
      .summary("say what a token is and whether it is good, or who may call a service")
      .description(
        "Say what a token of Google's is, what it is good for, and whether it is good: signature, audience, times. It is never printed.\n" +
          "With --why: say why a member may, or may not, call a service.\n" +
          "The exit code is 0 for a token that is good, 3 for one that is not.",
      )
      .argument(
        "[token]",
        "- for stdin, or the token, which others on this machine then see in the list of processes\n(default: what `token` prints); with --why, the service",
      )
      .option("--audience <audience>", "whom it has to be for (default: the service's URL, where one is set)")
      .option("--credentials <file>", "a service account's key file, where no token is given")
      .option("--why", "ask Google's policy troubleshooter why a member may, or may not, call a service")
      .option("--member <member>", "with --why, who: an e-mail address, or user:…, serviceAccount:…, principal:…")
      .action(
        run(execute, async ({ why }) =>
          why ? (await import("../commands/inspect-why.ts")).inspectWhy : (await import("../commands/inspect.ts")).inspect,
        ),
      ),
    [
      ["cloudrun-oauth inspect"],
      ["gcloud auth print-identity-token | cloudrun-oauth inspect -"],
      ["cloudrun-oauth inspect hello --why --member caller@my-project.iam.gserviceaccount.com"],
    ],
  );
}
