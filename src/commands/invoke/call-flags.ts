import { durationFlag, flag, inGroup, settingFlag } from "../../context/flag.ts";
import { parseTokenLifetime } from "../../context/parse-duration.ts";

/** The flags of a call: who calls the service, and what is sent. */
export const CALL_FLAGS = [
  settingFlag("--url <url>", "the service's URL (default: what describe finds)"),
  settingFlag("--credentials <file>", "a service account's key file, or another credential file"),
  settingFlag("--impersonate-service-account <accounts>", "act as this service account; delegates go before it, with commas"),
  flag("--audience <audience>", "whom the token is for (default: the service's URL)"),
  flag("--iap [client-id]", "call through Identity-Aware Proxy: the token is for its OAuth client (default: it is asked)"),
  flag("--auth-header <header>", "what carries the token (default: the one that -H leaves free)", {
    choices: ["authorization", "x-serverless-authorization"],
  }),
  durationFlag("--min-ttl <duration>", "send a token that is good for at least this long (default: 5m)", parseTokenLifetime),
  flag("--no-cache", "take a new token, and keep it nowhere"),
  ...inGroup("What is sent:", [
    flag("-X, --request <method>", "the HTTP method (default: GET, or POST with a body)"),
    flag("-H, --header <header>", "a header, 'Name: value'; may be repeated", { isRepeatable: true }),
    flag("-d, --data <data>", "the body: text, @FILE, or @- for stdin"),
    flag("--json-data <data>", "the same, as application/json, and checked to be JSON"),
    flag("--data-urlencode <name=value>", "a field of a form; may be repeated", { isRepeatable: true }),
    flag("-F, --form <name=value>", "a field of a multipart form, or name=@FILE[;type=TYPE]; may be repeated", { isRepeatable: true }),
  ]),
] as const;
