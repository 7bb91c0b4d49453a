import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { durationFlag, flag, settingFlag } from "../../context/flag.ts";
import { parseTokenLifetime } from "../../context/parse-duration.ts";

export const tokenCommand = defineCommand({
  name: "token",
  group: "Authenticated calls:",
  summary: "print an ID token",
  description: "Print an ID token for an audience. It is kept in the user's cache folder, and given out again until it is nearly over.",
  arguments: [argument("[audience]", "whom the token is for (default: the service's URL)")],
  flags: [
    settingFlag("--credentials <file>", "a service account's key file, or another credential file"),
    settingFlag("--impersonate-service-account <accounts>", "act as this service account; delegates go before it, with commas"),
    flag("--iap [client-id]", "for Identity-Aware Proxy before the service: its OAuth client (default: it is asked)"),
    flag("--header", "print it as a header, for curl -H @-"),
    durationFlag("--min-ttl <duration>", "print one that is good for at least this long (default: 5m)", parseTokenLifetime),
    flag("--no-cache", "print a new one, and keep it nowhere"),
  ],
  examples: [
    ['curl -H "Authorization: Bearer $(cloudrun-oauth token)" $CLOUD_RUN_SERVICE_URL'],
    ["cloudrun-oauth token --header | curl -H @- $CLOUD_RUN_SERVICE_URL", "not seen in the list of processes"],
    ["cloudrun-oauth token --min-ttl 30m", "for a run of half an hour"],
  ],
  load: async () => (await import("./token.ts")).token,
  commands: [
    defineCommand({
      name: "revoke",
      summary: "remove the tokens that are kept on this machine",
      description:
        "Remove the tokens that are kept on this machine.\nA copy elsewhere is good until it expires, an hour after it was made: Google takes no ID token back.",
      examples: [["cloudrun-oauth token revoke"]],
      load: async () => (await import("./revoke.ts")).revokeTokens,
    }),
  ],
});
