import type { Command } from "commander";
import { lifetime } from "../../context/parse-duration.ts";
import { run, withExamples, type Execute } from "../../context/define-command.ts";

/** The tokens that calls need. */
export function addTokenCommands(program: Command, execute: Execute): void {
  program.commandsGroup("Authenticated calls:");

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
      .action(run(execute, async () => (await import("./token.ts")).token)),
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
      .action(run(execute, async () => (await import("./revoke.ts")).revokeTokens)),
    [["cloudrun-oauth token revoke"]],
  );
}
