import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { durationFlag, flag, inGroup } from "../../context/flag.ts";
import { parsePercentage, parsePositiveNumber, parseWholeNumber } from "../../context/parse-number.ts";
import { CALL_FLAGS } from "../invoke/call-flags.ts";

export const loadCommand = defineCommand({
  name: "load",
  group: "Authenticated calls:",
  summary: "call a service many times, and measure it",
  description:
    "Call a service many times with an ID token, which is renewed in time, and print\nhow long the answers took. A first call has to be answered below 400, and is not\ncounted. Calls of Cloud Run itself cost money: they wait for a yes, or --yes.\nThe exit code is 0 where every answer was below 400, or as few were not as\n--max-errors allows; else 8.",
  arguments: [
    argument("[service]", "the service, a path of it, or a whole URL (default: what --url says, or the settings)"),
    argument("[path]", "the path (default: /)"),
  ],
  flags: [
    ...CALL_FLAGS,
    ...inGroup("How much:", [
      flag("-n, --requests <number>", "end after so many requests", { parse: parseWholeNumber }),
      durationFlag("--duration <duration>", "end after this time (default: 10s, where --requests is not said)"),
      flag("-c, --concurrency <number>", "call over so many connections, a request at a time on each", {
        parse: parseWholeNumber,
        default: 10,
      }),
      flag("--rate <number>", "send so many requests a second, however long answers take; latency counts from when each was due", {
        parse: parsePositiveNumber,
      }),
      flag("--max-rate <number>", "refuse a --rate above this", { parse: parsePositiveNumber, default: 1000 }),
      durationFlag("--max-time <duration>", "give up on a request after this time (default: 60s)"),
      flag("--no-check", "leave the first call out"),
    ]),
    ...inGroup("What comes of it:", [
      flag("--max-errors <percent>", "allow so many requests without an answer or with a status from 400 on (default: 0%)", {
        parse: parsePercentage,
      }),
      durationFlag("--max-p99 <duration>", "fail where more than one answer of a hundred took longer"),
      flag("--cold-starts", "ask the service's log afterwards which of the slowest answers waited for a new instance"),
      flag("--instance-header <name>", "a header by which the service names its instance: the first answer of each is told apart"),
      flag("--plot <file>", "draw the latencies into this SVG file"),
    ]),
  ],
  examples: [
    ["cloudrun-oauth load hello", "ten seconds, ten connections"],
    ["cloudrun-oauth load hello /orders -n 1000 -c 50 --plot orders.svg"],
    ["cloudrun-oauth load hello --rate 200 --duration 5m --yes", "200 requests a second"],
    ["cloudrun-oauth load --url https://hello-abc123-uc.a.run.app --max-p99 500ms --max-errors 1% --json"],
    ["cloudrun-oauth load /orders --json-data '{\"item\": 1}' -n 100"],
  ],
  load: async () => (await import("./load.ts")).load,
});
