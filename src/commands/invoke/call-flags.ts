import { type Command, Option } from "commander";
import { lifetime } from "../../context/parse-duration.ts";
import { collect } from "../../context/define-command.ts";

/** Adds what says who calls a service, and what is sent. */
export function addCallOptions(command: Command): Command {
  return command
    .option("--url <url>", "the service's URL (default: what describe finds)")
    .option("--credentials <file>", "a service account's key file, or another credential file")
    .option("--impersonate-service-account <accounts>", "act as this service account; delegates go before it, with commas")
    .option("--audience <audience>", "whom the token is for (default: the service's URL)")
    .option("--iap [client-id]", "call through Identity-Aware Proxy: the token is for its OAuth client (default: it is asked)")
    .addOption(
      new Option("--auth-header <header>", "what carries the token (default: the one that -H leaves free)").choices([
        "authorization",
        "x-serverless-authorization",
      ]),
    )
    .option("--min-ttl <duration>", "send a token that is good for at least this long (default: 5m)", lifetime)
    .option("--no-cache", "take a new token, and keep it nowhere")
    .optionsGroup("What is sent:")
    .option("-X, --request <method>", "the HTTP method (default: GET, or POST with a body)")
    .option("-H, --header <header>", "a header, 'Name: value'; may be repeated", collect)
    .option("-d, --data <data>", "the body: text, @FILE, or @- for stdin")
    .option("--json-data <data>", "the same, as application/json, and checked to be JSON")
    .option("--data-urlencode <name=value>", "a field of a form; may be repeated", collect)
    .option("-F, --form <name=value>", "a field of a multipart form, or name=@FILE[;type=TYPE]; may be repeated", collect);
}
