import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { durationFlag, flag, inGroup } from "../../context/flag.ts";
import { parseWholeNumber } from "../../context/parse-number.ts";
import { CALL_FLAGS } from "./call-flags.ts";

export const invokeCommand = defineCommand({
  name: "invoke",
  group: "Authenticated calls:",
  summary: "call a service with an ID token",
  description:
    'Call a service with an ID token, and print {"status_code", "response"}.\nThe exit code is 0 for a status below 400. Several paths share a connection and\na token; each gets a document, and under --json all of them are one list.',
  arguments: [argument("[targets...]", "paths of the service, or whole URLs (default: /)")],
  flags: [
    ...CALL_FLAGS,
    ...inGroup("What is printed:", [
      flag("-i, --include", "print headers, duration, audience and principal too"),
      flag("-o, --output <file>", "write the body into a file"),
      flag("--raw", "print the body as it comes, and nothing else"),
      flag("-N, --no-buffer", "the same as --raw, under curl's name"),
    ]),
    ...inGroup("How it is called:", [
      flag("-L, --location", "follow redirects; the token goes to the same origin only"),
      durationFlag("--max-time <duration>", "give up on a call after this time, retries included"),
      flag("--retries <number>", "try again so often where no connection holds, or the answer is 429 or 503; POST and PATCH are not", {
        parse: parseWholeNumber,
        default: 3,
      }),
      flag("--retry-all", "try POST and PATCH again too, which may do twice what they do"),
      flag("--wait-for <status>", "call until this is answered, 200 or 2xx, for ten minutes at most"),
      flag("--repeat <number>", "call so many times", { parse: parseWholeNumber }),
      durationFlag("--watch [interval]", "call again and again, with this time in between (default: 2s)"),
    ]),
  ],
  examples: [
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
  load: async () => (await import("./invoke.ts")).invoke,
});
