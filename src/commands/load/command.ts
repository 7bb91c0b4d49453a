import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { durationFlag, flag, inGroup } from "../../context/flag.ts";
import { parsePercentage, parsePositiveNumber, parseWholeNumber } from "../../context/parse-number.ts";
import { CALL_FLAGS } from "../invoke/call-flags.ts";

export const loadCommand = defineCommand({
  name: "load",
  summary: "Load-test a service",
  description:
    "Sends requests with an ID token, refreshed automatically, and reports latencies. A warm-up request, which isn't counted, must return a status below 400. Requests to Cloud Run are billed, so the command asks for confirmation (skip with --yes). Exits with 8 if more requests fail than --max-errors allows, or if the p99 latency exceeds --max-p99.",
  arguments: [argument("[targets...]", "Service name, path, or URL (default: from --url or the settings)")],
  flags: [
    ...CALL_FLAGS,
    ...inGroup("Load", [
      flag("-n, --requests <number>", "Total number of requests", { parse: parseWholeNumber }),
      durationFlag("--duration <duration>", "Duration of the test (default: 10s without --requests)"),
      flag("-c, --concurrency <number>", "Connections, each with one request at a time", {
        parse: parseWholeNumber,
        default: 10,
      }),
      flag("--rate <number>", "Requests per second; latency is measured from the scheduled start", {
        parse: parsePositiveNumber,
      }),
      flag("--max-rate <number>", "Maximum allowed --rate", { parse: parsePositiveNumber, default: 1000 }),
      durationFlag("--max-time <duration>", "Timeout for each request (default: 60s)"),
      flag("--no-check", "Skip the warm-up request"),
    ]),
    ...inGroup("Results", [
      flag("--max-errors <percent>", "Fail if more requests than this fail (default: 0%)", {
        parse: parsePercentage,
      }),
      durationFlag("--max-p99 <duration>", "Fail if the p99 latency exceeds this duration"),
      flag("--cold-starts", "Use the logs to find cold starts among the slowest requests"),
      flag("--instance-header <name>", "Response header that identifies the instance"),
      flag("--plot <file>", "Write a latency plot to this SVG file"),
    ]),
  ],
  examples: [
    ["cloudrun-oauth load hello", "10 seconds, 10 connections"],
    ["cloudrun-oauth load hello /orders -n 1000 -c 50 --plot orders.svg"],
    ["cloudrun-oauth load hello --rate 200 --duration 5m --yes", "200 requests per second"],
    ["cloudrun-oauth load --url https://hello-abc123-uc.a.run.app --max-p99 500ms --max-errors 1% --json"],
    ["cloudrun-oauth load /orders --json-data '{\"item\": 1}' -n 100"],
  ],
  load: async () => (await import("./load.ts")).load,
});
