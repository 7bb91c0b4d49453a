import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { durationFlag, flag, inGroup } from "../../context/flag.ts";
import { parseWholeNumber } from "../../context/parse-number.ts";
import { CALL_FLAGS } from "./call-flags.ts";

export const invokeCommand = defineCommand({
  name: "invoke",
  summary: "Send an authenticated request to a service",
  description:
    'Sends a request with an ID token, and prints {"status_code", "response"}.\nExits with 0 if the status is below 400.\nMultiple paths reuse one connection and token. Prints one document per path, or\none JSON array with --json.',
  arguments: [argument("[targets...]", "Service name, paths, or URLs (default: the service in the settings)")],
  flags: [
    ...CALL_FLAGS,
    ...inGroup("Output", [
      flag("-i, --include", "Include headers, duration, audience, and principal"),
      flag("-o, --output <file>", "File to write the response body to"),
      flag("--raw", "Print only the response body, unbuffered"),
      flag("-N, --no-buffer", "Alias for --raw"),
    ]),
    ...inGroup("Connection", [
      flag("-L, --location", "Follow redirects (the token is only sent to the same origin)"),
      durationFlag("--max-time <duration>", "Maximum time for each request, including retries"),
      flag("--retries <number>", "Number of retries on connection errors, 429, and 503 (not for POST and PATCH)", {
        parse: parseWholeNumber,
        default: 3,
      }),
      flag("--retry-all", "Also retry POST and PATCH requests (they might run twice)"),
      flag("--wait-for <status>", "Repeat until this status is returned, for example 200 or 2xx (max 10 minutes)"),
      flag("--repeat <number>", "Number of requests to send", { parse: parseWholeNumber }),
      durationFlag("--watch [interval]", "Repeat at this interval (default: 2s)"),
    ]),
  ],
  examples: [
    ["cloudrun-oauth invoke hello /whoami"],
    ["cloudrun-oauth invoke --credentials caller.json"],
    ["cloudrun-oauth invoke https://hello-abc123-uc.a.run.app/whoami -i"],
    ["cloudrun-oauth invoke /orders --json-data '{\"item\": 1}' -H 'Idempotency-Key: 7' --retry-all"],
    ["cloudrun-oauth invoke /photos -F title=Harbor -F 'photo=@harbor.jpg;type=image/jpeg'"],
    ["cloudrun-oauth invoke --iap", "through Identity-Aware Proxy"],
    ["cloudrun-oauth invoke /events --raw"],
    ["cloudrun-oauth invoke /status /orders --json"],
    ["cloudrun-oauth invoke --wait-for 200 --timeout 5m"],
    ["cloudrun-oauth invoke /status --watch 10s"],
  ],
  load: async () => (await import("./invoke.ts")).invoke,
});
