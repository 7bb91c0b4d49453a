import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";
import { CALLER_FLAGS } from "../invoke/call-flags.ts";

export const tokenCommand = defineCommand({
  name: "token",
  summary: "Print an ID token",
  description: "Prints an ID token for a service. Tokens are cached until shortly before they expire.",
  arguments: [argument("[service]", "Service name or URL (default: the service in the settings)")],
  flags: [...CALLER_FLAGS, flag("--header", "Print an Authorization header, for curl -H @-")],
  examples: [
    ['curl -H "Authorization: Bearer $(cloudrun-oauth token)" $CLOUD_RUN_SERVICE_URL'],
    ["cloudrun-oauth token --header | curl -H @- $CLOUD_RUN_SERVICE_URL", "keeps the token out of the process list"],
    ["cloudrun-oauth token hello --min-ttl 30m", "valid for at least 30 minutes"],
    ["cloudrun-oauth token --audience https://api.example.com", "for a custom audience"],
  ],
  load: async () => (await import("./token.ts")).token,
  commands: [
    defineCommand({
      name: "revoke",
      summary: "Delete cached tokens from this computer",
      description: "Deletes cached tokens from this computer.\nID tokens can't be revoked: copies stay valid until they expire (one hour).",
      examples: [["cloudrun-oauth token revoke"]],
      load: async () => (await import("./revoke.ts")).revokeTokens,
    }),
  ],
});
