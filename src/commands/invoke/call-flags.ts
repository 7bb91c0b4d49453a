import { durationFlag, flag, inGroup, settingFlag } from "../../context/flag.ts";
import { parseTokenLifetime } from "../../context/parse-duration.ts";

/** The flags that decide whose token is used, and which one. */
export const CALLER_FLAGS = [
  settingFlag("--url <url>", "Service URL (default: looked up by name)"),
  settingFlag("--credentials <file>", "Service account key file or other credential file"),
  settingFlag("--impersonate-service-account <accounts>", "Service account to impersonate, or a delegation chain"),
  flag("--audience <audience>", "Token audience (default: service URL)"),
  flag("--iap [client-id]", "Authenticate to IAP (default client ID: detected)"),
  durationFlag("--min-ttl <duration>", "Minimum remaining token lifetime (default: 5m)", parseTokenLifetime),
  flag("--no-cache", "Don't read or write the token cache"),
] as const;

/** The flags of a call: its caller and its request. */
export const CALL_FLAGS = [
  ...CALLER_FLAGS,
  flag("--auth-header <header>", "Header that carries the token (default: authorization unless set with -H)", {
    choices: ["authorization", "x-serverless-authorization"],
  }),
  ...inGroup("Request", [
    flag("-X, --request <method>", "HTTP method (default: GET, or POST with a body)"),
    flag("-H, --header <header>", "Header as 'Name: value'. Repeatable.", { isRepeatable: true }),
    flag("-d, --data <data>", "Request body: text, @FILE, or @- for stdin"),
    flag("--json-data <data>", "JSON request body; sets Content-Type: application/json"),
    flag("--data-urlencode <name=value>", "URL-encoded form field. Repeatable.", { isRepeatable: true }),
    flag("-F, --form <name=value>", "Multipart form field, or name=@FILE[;type=TYPE]. Repeatable.", { isRepeatable: true }),
  ]),
] as const;
