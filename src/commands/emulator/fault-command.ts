import { argument } from "../../context/argument.ts";
import { defineCommand, defineNoun } from "../../context/define-command.ts";
import { durationFlag, flag } from "../../context/flag.ts";
import { parseWholeNumber } from "../../context/parse-number.ts";
import { DATA_DIR_FLAG } from "./data-dir-flag.ts";

export const faultCommand = defineNoun({
  name: "fault",
  summary: "let its answers fail on demand",
  description: "Let answers of the emulator fail on demand: of Google's APIs and of services alike. A reset or a stop ends all faults.",
  commands: [
    defineCommand({
      name: "add",
      summary: "let requests fail from here on",
      description:
        "Let requests that match fail from here on. A pattern is HOST/PATH, either of which may be left out; * stands for what is\nbetween two slashes, ** for anything. Of several faults that match the first is met.",
      flags: [
        flag("--match <pattern>", "the requests: oauth2.googleapis.com/token, *.run.app, /v1/projects/**", { isRequired: true }),
        flag("--method <method>", "only requests with this method"),
        flag("--status <code>", "answer this, from 400 to 599, with the body that Google's host has for it", { parse: parseWholeNumber }),
        flag("--reason <reason>", "with --status 403: VPC_SERVICE_CONTROLS, as if the project lay in a perimeter"),
        flag("--retry-after <seconds>", "with --status: the header Retry-After", { parse: parseWholeNumber }),
        durationFlag("--latency <duration>", "wait this long first: 2s, 500ms"),
        flag("--reset", "reset the connection"),
        flag("--truncate <bytes>", "end the connection after so many bytes of the body", { parse: parseWholeNumber }),
        flag("--times <number>", "so many times only", { parse: parseWholeNumber }),
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
      summary: "show what is to fail",
      description: "Show what is to fail, how often yet, and how often it has.",
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator fault list --json"]],
      load: async () => (await import("./fault.ts")).faultList,
    }),
    defineCommand({
      name: "remove",
      summary: "end a fault",
      description: "End the fault with this number.",
      arguments: [argument("<number>", "as fault list shows it", { parse: parseWholeNumber })],
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator fault remove 1"]],
      load: async () => (await import("./fault.ts")).faultRemove,
    }),
    defineCommand({
      name: "clear",
      summary: "end all faults",
      description: "End all faults.",
      flags: [DATA_DIR_FLAG],
      examples: [["cloudrun-oauth emulator fault clear"]],
      load: async () => (await import("./fault.ts")).faultClear,
    }),
  ],
});
