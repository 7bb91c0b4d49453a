import { argument } from "../../context/argument.ts";
import { defineCommand, defineNoun } from "../../context/define-command.ts";
import { durationFlag, flag } from "../../context/flag.ts";
import { parseWholeNumber } from "../../context/parse-number.ts";
import { DATA_DIR_FLAG } from "./data-dir-flag.ts";

export const faultCommand = defineNoun({
  name: "fault",
  summary: "Inject errors and latency into responses",
  description:
    "Injects errors and latency into responses from emulated APIs and services. Faults are cleared by `emulator reset` and `emulator stop`.",
  commands: [
    defineCommand({
      name: "add",
      summary: "Add a fault for matching requests",
      description:
        "Adds a fault for matching requests. A pattern is HOST/PATH, HOST, or /PATH; * matches within a segment, and ** matches anything. If several faults match, the first one applies.",
      flags: [
        flag("--match <pattern>", "Requests to match, for example *.run.app or /v1/projects/**", { isRequired: true }),
        flag("--method <method>", "HTTP method to match"),
        flag("--status <code>", "Status code to return (400 to 599)", { parse: parseWholeNumber }),
        flag("--reason <reason>", "Reason for status 403: VPC_SERVICE_CONTROLS"),
        flag("--retry-after <seconds>", "Retry-After header for --status, in seconds", { parse: parseWholeNumber }),
        durationFlag("--latency <duration>", "Delay before the response, for example 2s or 500ms"),
        flag("--reset", "Reset the connection"),
        flag("--truncate <bytes>", "Close the connection after this many bytes of the body", { parse: parseWholeNumber }),
        flag("--times <number>", "Number of requests to affect (default: all)", { parse: parseWholeNumber }),
        DATA_DIR_FLAG,
      ],
      examples: [
        ["cloudrun-oauth emulator fault add --match oauth2.googleapis.com/token --status 503 --times 2"],
        ["cloudrun-oauth emulator fault add --match '*run.googleapis.com' --method PUT --status 429 --retry-after 5"],
        ["cloudrun-oauth emulator fault add --match '*.run.app' --latency 2s"],
      ],
      load: async () => (await import("./fault.ts")).faultAdd,
    }),
    defineCommand({
      name: "list",
      summary: "List active faults",
      description: "Lists active faults and how often each was triggered.",
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator fault list --json"]],
      load: async () => (await import("./fault.ts")).faultList,
    }),
    defineCommand({
      name: "remove",
      summary: "Remove a fault",
      description: "Removes a fault by its ID.",
      arguments: [argument("<id>", "ID from `emulator fault list`", { parse: parseWholeNumber })],
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator fault remove 1"]],
      load: async () => (await import("./fault.ts")).faultRemove,
    }),
    defineCommand({
      name: "clear",
      summary: "Remove all faults",
      description: "Removes all faults.",
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator fault clear"]],
      load: async () => (await import("./fault.ts")).faultClear,
    }),
  ],
});
